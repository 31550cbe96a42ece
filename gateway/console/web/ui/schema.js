// A JSON schema as shapes of fields, and what was typed into them as a value.
import { texts } from "../texts.js";

const DEEPEST = 5; // levels of fields; what lies deeper is typed as JSON
const FORMATS = { date: "date", "date-time": "text", email: "email", uri: "url" };

// The shape of a value: {kind, title, description, …} with `kind` text, number, flag, choice, list, group or json.
export function shapeOf(schema, root = schema, depth = 0) {
  const rule = single(follow(schema, root), root);
  const shape = { title: word(rule.title), description: word(rule.description), given: rule.default };
  if ("const" in rule) return { ...shape, kind: "choice", options: [rule.const] };
  if (Array.isArray(rule.enum)) return { ...shape, kind: "choice", options: rule.enum };
  if (depth >= DEEPEST) return { ...shape, kind: "json" };
  switch (typeOf(rule)) {
    case "string": return { ...shape, kind: "text", type: FORMATS[rule.format] };
    case "integer":
    case "number": return { ...shape, kind: "number", isWhole: typeOf(rule) === "integer", least: bound(rule.minimum), most: bound(rule.maximum) };
    case "boolean": return { ...shape, kind: "flag" };
    case "array": return isObject(rule.items) ? { ...shape, kind: "list", item: shapeOf(rule.items, root, depth + 1) } : { ...shape, kind: "json" };
    case "object": return isObject(rule.properties) ? { ...shape, kind: "group", fields: fieldsOf(rule, root, depth) } : { ...shape, kind: "json" };
    default: return { ...shape, kind: "json" };
  }
}

function fieldsOf(rule, root, depth) {
  const required = Array.isArray(rule.required) ? rule.required : [];
  return Object.entries(rule.properties).map(([name, each]) => ({
    name, isRequired: required.includes(name), shape: shapeOf(each, root, depth + 1),
  }));
}

// What an agent's or a tool's schema says of its arguments, in whichever form it came.
export function parametersOf(schema) {
  const stated = isObject(schema?.function) ? schema.function.parameters : schema;
  return isObject(stated) && isObject(stated.properties) ? { ...stated, type: "object" } : { type: "object", properties: {} };
}

// What stands in the fields at first.
export function draftOf(shape, value = shape.given) {
  switch (shape.kind) {
    case "group": return Object.fromEntries(shape.fields.map(({ name, shape: each }) => [name, draftOf(each, isObject(value) ? value[name] ?? each.given : each.given)]));
    case "list": return Array.isArray(value) ? value.map((each) => draftOf(shape.item, each)) : [];
    case "flag": return typeof value === "boolean" ? String(value) : "";
    case "choice": return String(shape.options.findIndex((each) => JSON.stringify(each) === JSON.stringify(value))).replace("-1", shape.options.length === 1 ? "0" : "");
    case "json": return value === undefined ? "" : JSON.stringify(value, null, 2);
    default: return value === undefined || value === null ? "" : String(value);
  }
}

// The value of a draft, undefined where none is given; what is wrong is noted in `errors` by its path ("city", "stops.0.name").
export function valueOf(shape, draft, isRequired, errors, path = []) {
  const wrong = (text) => { errors[path.join(".")] = text; };
  if (shape.kind === "group") return groupOf(shape, draft, isRequired, errors, path);
  if (shape.kind === "list") {
    if (!draft.length && !isRequired) return undefined;
    return draft.map((each, at) => valueOf(shape.item, each, true, errors, [...path, at]));
  }
  if (draft === "") {
    if (isRequired) wrong(texts.schema.required);
    return undefined;
  }
  if (shape.kind === "flag") return draft === "true";
  if (shape.kind === "choice") return shape.options[Number(draft)];
  if (shape.kind === "number") {
    const number = Number(draft);
    if (!Number.isFinite(number) || (shape.isWhole && !Number.isInteger(number))) wrong(shape.isWhole ? texts.schema.whole : texts.schema.number);
    else if (number < shape.least || number > shape.most) wrong(texts.schema.between(shape.least, shape.most));
    return number;
  }
  if (shape.kind === "json") {
    try {
      return JSON.parse(draft);
    } catch (error) {
      wrong(texts.schema.json(error.message));
      return undefined;
    }
  }
  return draft;
}

function groupOf(shape, draft, isRequired, errors, path) {
  const found = {};
  const entries = shape.fields.map(({ name, shape: each, isRequired: must }) => [name, valueOf(each, draft[name], must, found, [...path, name])]);
  const given = entries.filter(([, value]) => value !== undefined);
  // One that may be left out, and has nothing in it, lacks nothing.
  if (!isRequired && !given.length) return undefined;
  Object.assign(errors, found);
  return Object.fromEntries(given);
}

// `$ref` to another place of the same schema.
function follow(schema, root) {
  let rule = isObject(schema) ? schema : {};
  for (let step = 0; step < 8 && typeof rule.$ref === "string" && rule.$ref.startsWith("#/"); step += 1) {
    const place = rule.$ref.slice(2).split("/").reduce((at, key) => at?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], root);
    const { $ref, ...beside } = rule;
    rule = { ...(isObject(place) ? place : {}), ...beside };
  }
  return rule;
}

// "This or nothing" is this; what else may be several things is typed as JSON.
function single(rule, root) {
  for (const word of ["anyOf", "oneOf", "allOf"]) {
    if (!Array.isArray(rule[word])) continue;
    const { [word]: rules, ...beside } = rule;
    const some = rules.map((each) => follow(each, root)).filter((each) => each.type !== "null");
    return some.length === 1 ? { ...some[0], ...beside } : { ...beside, type: undefined };
  }
  return rule;
}

function typeOf(rule) {
  const types = [rule.type ?? (isObject(rule.properties) ? "object" : undefined)].flat().filter((each) => each !== "null");
  return types.length === 1 ? types[0] : undefined;
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const word = (value) => (typeof value === "string" ? value : "");
const bound = (value) => (typeof value === "number" ? value : undefined);
