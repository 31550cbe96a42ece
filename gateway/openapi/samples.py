"""How what a schema describes may look."""

from typing import Any

from gateway.openapi.schemas import Json

SOME_ID = "00000000-0000-4000-8000-000000000000"
SOME_TEXT = "…"


def resolved(schema: Json, schemas: Json) -> Json:
    """The schema itself, where it is named by a reference to one of these."""
    if "$ref" not in schema:
        return schema
    found: Json = schemas[schema["$ref"].rpartition("/")[2]]
    return found


def sample(schema: Json, schemas: Json) -> Any:
    """A value that the schema allows: the first of each choice, the least of each number."""
    schema = resolved(schema, schemas)
    stated = [schema[name] for name in ("const", "default") if name in schema]
    stated += [*schema.get("enum", []), *schema.get("examples", [])]
    if stated:
        return stated[0]
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], schemas)
    return _of_type(schema, schemas)


def _of_type(schema: Json, schemas: Json) -> Any:
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {}).items()
            return {name: sample(field, schemas) for name, field in fields}
        case "array":
            items = schema.get("items")
            return [sample(items, schemas)] if items else []
        case "integer" | "number":
            return max(schema.get("minimum", 0), 0)
        case "boolean":
            return True
        case "string":
            return SOME_ID if schema.get("format") == "uuid" else SOME_TEXT
        case _:  # whatever it is
            return None
