// Markdown as HTML that is safe to show: no HTML of its own, links to other sites only, no pictures of other hosts.
import { texts } from "../../texts.js";
import "../../vendor/dompurify.js"; // a script, which names itself globally
import markdownIt from "../../vendor/markdown-it.js";

const { DOMPurify } = globalThis;
const KEPT = 400; // texts whose HTML is kept
const ADDRESS = /^https?:\/\//i;
const PICTURE = /^data:image\/(png|jpeg|gif|webp);base64,/i;
const TAGS = ["a", "blockquote", "br", "button", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p", "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"];

const markdown = markdownIt({ html: false, linkify: true, breaks: true });
const { escapeHtml } = markdown.utils;
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
markdown.validateLink = (address) => ADDRESS.test(address) || PICTURE.test(address);

const { rules } = markdown.renderer;
rules.link_open = (tokens, at, options, env, self) => {
  tokens[at].attrSet("target", "_blank");
  return self.renderToken(tokens, at, options);
};
// The page loads nothing from elsewhere: a picture that is there is a link, which says what it shows.
rules.image = (tokens, at, options, env, self) => {
  const address = tokens[at].attrGet("src");
  const shown = self.renderInlineAsText(tokens[at].children, options, env) || address;
  if (PICTURE.test(address)) return `<img src="${escapeHtml(address)}" alt="${escapeHtml(shown)}">`;
  return `<a class="chat-picture" href="${escapeHtml(address)}" target="_blank">${escapeHtml(shown)}</a>`;
};
rules.fence = (tokens, at) => code(tokens[at].content, tokens[at].info.trim().split(/\s+/)[0]);
rules.code_block = (tokens, at) => code(tokens[at].content, "");
rules.table_open = () => '<div class="chat-table"><table class="table">';
rules.table_close = () => "</table></div>";
// The page's policy takes no styles in HTML: where a cell stands is a class.
rules.th_open = rules.td_open = (tokens, at, options, env, self) => {
  const cell = tokens[at];
  const side = /center|right/.exec(cell.attrGet("style") ?? "")?.[0];
  cell.attrs = side ? [["class", `is-${side}`]] : null;
  return self.renderToken(tokens, at, options);
};

const code = (text, language) => `<div class="chat-code"><div class="chat-code-head"><span>${escapeHtml(language)}</span>`
  + `<button type="button" class="button is-small is-plain chat-copy">${texts.actions.copy}</button></div>`
  + `<pre tabindex="0"><code>${escapeHtml(text)}</code></pre></div>`;

DOMPurify.addHook("afterSanitizeAttributes", (element) => {
  if (element.tagName === "A") element.setAttribute("rel", "noopener noreferrer");
});

const kept = new Map();

// The TrustedHTML of a text; the same for the same one, for a while.
export function toHtml(text) {
  let made = kept.get(text);
  if (made === undefined) {
    made = DOMPurify.sanitize(markdown.render(asText(text)), {
      ALLOWED_TAGS: TAGS,
      ALLOWED_ATTR: ["alt", "class", "href", "rel", "src", "start", "tabindex", "target", "type"],
      ALLOWED_URI_REGEXP: ADDRESS,
      ALLOW_DATA_ATTR: false,
      ALLOW_ARIA_ATTR: false,
      RETURN_TRUSTED_TYPE: true,
    });
    if (kept.size >= KEPT) kept.delete(kept.keys().next().value);
  } else {
    kept.delete(text);
  }
  kept.set(text, made);
  return made;
}

// An answer may be an object as text: more than one line of it can be read better.
function asText(text) {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return `\`\`\`json\n${JSON.stringify(JSON.parse(text), null, 2)}\n\`\`\``;
  } catch {
    return text;
  }
}
