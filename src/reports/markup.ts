import { html as tag } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";

/** HTML or SVG in which everything that came from outside is escaped. */
export type Markup = HtmlEscapedString;

/**
 * Template tag for pages and pictures: escapes every value, but leaves other markup (also in
 * arrays) as it is; `false` and `undefined` add nothing.
 *
 * `html`<p>${"<b>"}</p>`` is `<p>&lt;b&gt;</p>`.
 */
export function html(strings: TemplateStringsArray, ...values: unknown[]): Markup {
  const markup = tag(strings, ...values);
  if (markup instanceof Promise) throw new TypeError("A report is made of finished values only");
  return markup;
}
