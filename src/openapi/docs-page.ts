import { raw } from "hono/html";
import { html, type Markup } from "../reports/markup.js";
import type {
  OpenApiAnswer,
  OpenApiContent,
  OpenApiDocument,
  OpenApiOperation,
} from "./document.js";

const style = `
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2rem } summary { cursor: pointer; padding: .3rem 0 }
summary code { font-weight: 600 } details { border-bottom: 1px solid #8884 }
details > :not(summary) { margin-left: 1rem }
input { font: inherit; width: 100%; padding: .5rem; box-sizing: border-box }
pre { overflow-x: auto; padding: .6rem; background: #8881; font-size: 13px }
table { border-collapse: collapse } td, th { text-align: left; padding: .2rem .8rem .2rem 0;
  vertical-align: top } .method { display: inline-block; width: 4.5rem }`;

/** Shows the operations and schemas that have every word of the search. */
export const docsScript = `
document.querySelector("input").addEventListener("input", ({ target }) => {
  const words = target.value.toLowerCase().split(/\\s+/).filter(Boolean);
  for (const section of document.querySelectorAll("section")) {
    let shown = 0;
    for (const part of section.querySelectorAll("details")) {
      part.hidden = !words.every((word) => part.textContent.toLowerCase().includes(word));
      if (!part.hidden) shown++;
    }
    section.hidden = shown === 0;
  }
});
const open = () => {
  const part = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (part) part.open = true;
};
addEventListener("hashchange", open);
open();`;

/** The document as one page: no script, font or picture from elsewhere. */
export function docsPage(document: OpenApiDocument): string {
  const { info, paths, components } = document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))];
  const sections = tags.map((tag) => {
    const ofTag = operations.filter(({ operation }) => operation.tags.includes(tag));
    const shown = ofTag.map(({ path, method, operation }) => operationOf(path, method, operation));
    return html`<section><h2>${tag}</h2>\n${shown}</section>\n`;
  });
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      html`<details id="${name}"><summary><code>${name}</code></summary>
${code(schema)}</details>\n`,
  );
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${info.title} ${info.version}</title>
<style>${raw(style)}</style>
<h1>${info.title} ${info.version}</h1>
<p>${info.description}</p>
<p>The same for programs: <a href="openapi.json">openapi.json</a></p>
<input type="search" placeholder="Search paths, fields and errors" aria-label="Search">
${sections}
<section><h2>Schemas</h2>\n${schemas}</section>
<script>${raw(docsScript)}</script>
</html>`.toString();
}

function operationOf(path: string, method: string, operation: OpenApiOperation): Markup {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  const fields = parameters.map(
    ({ name, in: place, required, schema }) =>
      html`<tr><td><code>${name}</code></td><td>${place}${required && ", required"}</td>
<td>${typeOf(schema)}</td></tr>\n`,
  );
  const verb = html`<span class="method">${method.toUpperCase()}</span>`;
  return html`<details id="${operationId}"><summary>${verb}
<code>${path}</code> ${summary}</summary>
${description && html`<p>${description}</p>`}
${fields.length > 0 && html`<h4>Parameters</h4><table>${fields}</table>`}
${requestBody && html`<h4>Body</h4>${contentOf(requestBody.content)}`}
<h4>Answers</h4>${Object.entries(responses).map(([status, answer]) => answerOf(status, answer))}
</details>\n`;
}

function answerOf(status: string, { description, content }: OpenApiAnswer): Markup {
  return html`<p><strong>${status}</strong> ${description}</p>
${content && Number(status) < 400 && contentOf(content)}`;
}

const contentOf = (content: OpenApiContent): Markup =>
  html`<table>${Object.entries(content).map(([type, { schema }]) => {
    return html`<tr><td><code>${type}</code></td><td>${schema && typeOf(schema)}</td></tr>\n`;
  })}</table>`;

/** A link to a named schema; other schemas unchanged. */
function typeOf(schema: object): Markup {
  if ("$ref" in schema) {
    const name = String(schema.$ref).split("/").at(-1);
    return html`<a href="#${name}">${name}</a>`;
  }
  return code(schema);
}

const code = (schema: unknown): Markup => html`<pre>${JSON.stringify(schema, undefined, 2)}</pre>`;
