import { signal } from "@preact/signals";

/**
 * What the address names: `#/search/photos?q=a+red+bus` is the view `search`, the path
 * ["photos"] and the parameter q. In the hash, so that the server serves one page at any prefix.
 */
export interface Route {
  view: string;
  path: readonly string[];
  params: URLSearchParams;
}

type Params = Record<string, string | undefined>;

export const route = signal(parseHash(location.hash));

/** The address that `route` was read from. */
let followed = location.hash;

function follow(): void {
  if (location.hash === followed) return;
  followed = location.hash;
  route.value = parseHash(followed);
}

addEventListener("hashchange", follow);

/**
 * Goes to a view; `replace` adds no history entry, for example while typing. A view that replaces
 * its address gives way to a link or a Back whose event is still to come: it would undo that.
 */
export function navigate(
  view: string,
  path: readonly string[],
  { params = {}, replace = false }: { params?: Params; replace?: boolean } = {},
): void {
  if (replace && location.hash !== followed) {
    follow();
    return;
  }
  const hash = linkTo(view, path, params);
  if (hash === location.hash) return;
  history[replace ? "replaceState" : "pushState"](undefined, "", hash);
  follow();
}

/** The address of a view within the page; parameters that are undefined or empty are left out. */
export function linkTo(view: string, path: readonly string[] = [], params: Params = {}): string {
  const present = Object.entries(params).filter((entry): entry is [string, string] => !!entry[1]);
  const query = present.length === 0 ? "" : `?${new URLSearchParams(present)}`;
  return `#/${[view, ...path].map(encodeURIComponent).join("/")}${query}`;
}

function parseHash(hash: string): Route {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [view, ...rest] = path.split("/").filter(Boolean).map(decoded);
  return { view: view ?? "", path: rest, params: new URLSearchParams(query) };
}

/** A link that was cut inside an escape is read literally. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
