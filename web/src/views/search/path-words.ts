import type { Feed } from "./feed.js";

const plans = {
  exact: "Every item was compared",
  scan: "Every item was compared, in 8 bits first",
  graph: "Found through the graph: an item may be missing",
};

/** Which way a query went: "starter-clap hears the sound, over a bridge, 16 ms". */
export function pathInWords({ path, ms }: NonNullable<Feed["found"]>): string {
  const steps = path.map((step) => {
    const [first, second] = step.split("/");
    if (first === "bridge") return "over a bridge";
    const verb = {
      text: "reads the text",
      image: "looks at the picture",
      audio: "hears the sound",
    }[second as "text"];
    return `${first} ${verb ?? second}`;
  });
  return [...steps, `${Math.max(1, Math.round(ms))} ms`].join(", ");
}

/** What few people ask for: how exactly it was searched, and through what. */
export const pathInFull = ({ path, plan }: NonNullable<Feed["found"]>): string =>
  [plans[plan], ...(path.length === 0 ? [] : [path.join(" > ")])].join("; ");
