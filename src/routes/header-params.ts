export interface ParametrizedHeader {
  /** Before the first semicolon, in lower case: `multipart/form-data`. */
  value: string;
  /** By name in lower case. */
  params: ReadonlyMap<string, string>;
}

/**
 * `; name=value` or `; name="quoted \" value"` (RFC 2045, RFC 2183), with or without space around
 * `;` and `=`.
 */
const parameter = /\s*;\s*(?:([^\s"=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"]*)))?/y;

/**
 * A header like Content-Type or Content-Disposition, or undefined when it is malformed or names a
 * parameter twice.
 */
export function parametrized(header: string): ParametrizedHeader | undefined {
  const end = header.indexOf(";");
  const value = (end < 0 ? header : header.slice(0, end)).trim().toLowerCase();
  const params = new Map<string, string>();
  parameter.lastIndex = end < 0 ? header.length : end;
  while (parameter.lastIndex < header.length) {
    const from = parameter.lastIndex;
    const found = parameter.exec(header);
    if (found === null) return header.slice(from).trim() === "" ? { value, params } : undefined;
    const [, name, quoted, token] = found;
    if (name === undefined) continue;
    if (params.has(name.toLowerCase())) return undefined;
    params.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? token.trim());
  }
  return { value, params };
}
