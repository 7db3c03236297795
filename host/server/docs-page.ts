/** The page at `/docs`: the operations of `/openapi.json`, readable. All of it is in this file, and it shows texts as texts only. */

/** @param nonce of the page's Content-Security-Policy: nothing else runs in it */
export function docsPage(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>fuselet: the server's API</title>
<style nonce="${nonce}">${STYLE}</style>
<header>
  <h1>The server's API</h1>
  <p id="about">…</p>
  <input id="filter" type="search" placeholder="Filter by path, method or text" aria-label="Filter" autocomplete="off">
</header>
<main id="operations"></main>
<noscript><main>This page needs JavaScript. <a href="/openapi.json">/openapi.json</a> has the same.</main></noscript>
<script nonce="${nonce}">${SCRIPT}</script>
</html>
`;
}

/** What the page may do: run its own script and style, and read from this server. */
export function docsPolicy(nonce: string): string {
  return `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

const STYLE = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); --dim: color-mix(in srgb, currentColor 65%, transparent) }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.4rem; margin: .5rem 0 0 }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem }
h3 { font-size: .95rem; margin: .8rem 0 .2rem }
p { margin: .3rem 0; color: var(--dim) }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .4rem .6rem; margin-top: .6rem }
details { border: 1px solid var(--line); border-radius: 6px; margin: .3rem 0; padding: .3rem .6rem }
details[open] { padding-bottom: .7rem }
summary { cursor: pointer; display: flex; flex-wrap: wrap; gap: .2rem .7rem; align-items: baseline }
code, pre { font: 13px/1.45 ui-monospace, monospace }
code { overflow-wrap: anywhere }
pre { margin: .2rem 0; padding: .5rem; overflow-x: auto; border: 1px solid var(--line); border-radius: 4px }
table { border-collapse: collapse; width: 100% }
td { border-top: 1px solid var(--line); padding: .25rem .6rem .25rem 0; vertical-align: top }
.method { font-weight: 700; min-width: 4rem; text-transform: uppercase }
.what { color: var(--dim) }
[hidden] { display: none }
`;

/** Plain JavaScript of the page; without backslashes and template texts, as it is part of one. */
const SCRIPT = `
"use strict";
const make = (tag, content, className) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...[].concat(content ?? []));
  return element;
};
const indent = (depth) => "  ".repeat(depth);
const lineBreak = String.fromCharCode(10);
let schemas = {};
// A schema as people write types; the first name is written out.
const typeText = (schema, depth, isOpen) => {
  if (!schema || typeof schema !== "object" || Object.keys(schema).length === 0) return "any";
  const inner = (one) => typeText(one, depth, isOpen);
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    return isOpen && schemas[name] ? typeText(schemas[name], depth, false) : name;
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const several = schema.anyOf || schema.oneOf;
  if (several) return several.map(inner).join(" | ");
  if (schema.allOf) return schema.allOf.map(inner).join(" & ");
  if (Array.isArray(schema.type)) return schema.type.map((type) => (type === "null" ? type : inner({ ...schema, type }))).join(" | ");
  if (schema.type === "array") return "list of " + inner(schema.items);
  if (schema.type !== "object") return (schema.format || schema.type || "any") + boundsText(schema);
  const fields = Object.entries(schema.properties || {});
  if (fields.length === 0) return "object";
  const required = new Set(schema.required || []);
  const lines = fields.map(([name, field]) =>
    indent(depth + 1) + name + (required.has(name) ? "" : "?") + ": " + typeText(field, depth + 1, false) +
    (field.description ? "    # " + field.description : ""));
  return ["{", ...lines, indent(depth) + "}"].join(lineBreak);
};
const boundsText = (schema) => {
  const bounds = [];
  if (schema.minimum !== undefined || schema.maximum !== undefined)
    bounds.push((schema.minimum ?? "") + " to " + (schema.maximum ?? ""));
  if (schema.maxLength !== undefined) bounds.push("at most " + schema.maxLength + " characters");
  if (schema.default !== undefined) bounds.push("default " + JSON.stringify(schema.default));
  return bounds.length ? " (" + bounds.join(", ") + ")" : "";
};
const contentOf = (content) => Object.entries(content || {}).map(([type, { schema }]) =>
  make("div", [make("code", type), make("pre", typeText(schema, 0, true))]));
const section = (title, content) => (content.length ? [make("h3", title), ...content] : []);
const showOperation = (path, method, operation, shared) => {
  const parameters = [...(shared || []), ...(operation.parameters || [])];
  const rows = parameters.map((one) => make("tr", [
    make("td", make("code", one.name)),
    make("td", one.in + (one.required ? ", required" : "")),
    make("td", make("code", typeText(one.schema, 0, false))),
    make("td", (one.schema && one.schema.description) || one.description || ""),
  ]));
  const answers = Object.entries(operation.responses || {}).map(([status, response]) => {
    const box = make("details", [
      make("summary", [make("code", status), make("span", response.description || "", "what")]),
      ...contentOf(response.content),
    ]);
    box.open = status.startsWith("2");
    return box;
  });
  const box = make("details", [
    make("summary", [
      make("code", method, "method"), make("code", path), make("span", operation.summary || "", "what"),
    ]),
    ...(operation.description ? [make("p", operation.description)] : []),
    ...section("Parameters", rows.length ? [make("table", rows)] : []),
    ...section("Body", operation.requestBody ? contentOf(operation.requestBody.content) : []),
    ...section("Answers", answers),
  ]);
  box.dataset.text = [method, path, operation.summary, operation.description, ...(operation.tags || [])].join(" ").toLowerCase();
  return box;
};
const show = (api) => {
  schemas = (api.components || {}).schemas || {};
  const groups = new Map();
  let count = 0;
  for (const [path, item] of Object.entries(api.paths || {})) {
    for (const method of ["get", "post", "put", "patch", "delete", "head"]) {
      if (!item[method]) continue;
      const tag = (item[method].tags || ["other"])[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(showOperation(path, method, item[method], item.parameters));
      count++;
    }
  }
  const types = Object.entries(schemas).map(([name, schema]) => {
    const box = make("details", [make("summary", make("code", name)), make("pre", typeText(schema, 0, false))]);
    box.dataset.text = name.toLowerCase();
    return box;
  });
  const main = document.getElementById("operations");
  for (const [tag, boxes] of [...groups].sort()) main.append(make("section", [make("h2", tag), ...boxes]));
  main.append(make("section", [make("h2", "Types"), ...types]));
  const link = make("a", "/openapi.json");
  link.href = "/openapi.json";
  const about = document.getElementById("about");
  about.replaceChildren(api.info.title + " " + api.info.version + ": " + count + " operations, from ", link,
    ". Send the header Authorization: Bearer TOKEN.");
};
document.getElementById("filter").addEventListener("input", ({ target }) => {
  const words = target.value.toLowerCase().split(" ").filter(Boolean);
  for (const group of document.querySelectorAll("section")) {
    let some = false;
    for (const box of group.querySelectorAll(":scope > details")) {
      box.hidden = !words.every((word) => box.dataset.text.includes(word));
      some ||= !box.hidden;
    }
    group.hidden = !some;
  }
});
fetch("/openapi.json").then((answer) => answer.json()).then(show).catch((error) => {
  document.getElementById("about").textContent = "Cannot read /openapi.json: " + error.message;
});
`;
