import { html as tag } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";

/** HTML or SVG in which all inserted values are escaped. */
export type Markup = HtmlEscapedString;

/**
 * Template tag for pages and pictures: escapes every value, but inserts other markup (also in
 * arrays) unchanged; `false` and `undefined` add nothing.
 *
 * `html`<p>${"<b>"}</p>`` is `<p>&lt;b&gt;</p>`.
 */
export function html(strings: TemplateStringsArray, ...values: unknown[]): Markup {
  const markup = tag(strings, ...values);
  if (markup instanceof Promise) throw new TypeError("A report takes resolved values only");
  return markup;
}
