/** What the header says at most: longer ones are cut before they are read. */
const maxHeader = 512;

/**
 * Programs that a header names in a way of their own. Browsers name each other, so the order
 * matters.
 */
const known: readonly [RegExp, string][] = [
  [/^(?:Async)?(?:Azure)?OpenAI\/Python ([\w.]{1,20})/, "OpenAI for Python"],
  [/^(?:Azure)?OpenAI\/JS ([\w.]{1,20})/, "OpenAI for JavaScript"],
  [/\bhf_hub\/([\w.]{1,20})/, "huggingface_hub"],
  [/\bEdg\/(\d{1,4})/, "Edge"],
  [/\bOPR\/(\d{1,4})/, "Opera"],
  [/\bFirefox\/(\d{1,4})/, "Firefox"],
  [/Chrome\/(\d{1,4})/, "Chrome"],
  [/\bVersion\/(\d{1,4})[\d.]* (?:Mobile\/\w+ )?Safari\//, "Safari"],
];

/** A product of RFC 9110, 10.1.5, of the characters that names of programs are made of. */
const product = /^@?([\w.+-]{1,40}(?:\/[\w.+-]{1,40})?)(?:\/([\w.+-]{1,20}))?(?![^\s;,(])/;

/**
 * The program that a `User-Agent` names, with its version: "Firefox 131", "python-requests 2.32".
 * At most 105 printable characters of ASCII, whatever was sent.
 * @returns undefined for none, or one that is no name.
 */
export function programOf(userAgent: string | undefined): string | undefined {
  const header = userAgent?.slice(0, maxHeader) ?? "";
  for (const [pattern, name] of known) {
    const version = pattern.exec(header)?.[1];
    if (version !== undefined) return `${name} ${version}`;
  }
  const [, name, version] = product.exec(header) ?? [];
  if (name === undefined) return undefined;
  if (version !== undefined) return `${name} ${version}`;
  return name.replace("/", " ");
}
