import type { Feed } from "./feed.js";

const plans = {
  exact: "every item compared",
  scan: "every item compared, in 8 bits first",
  graph: "through the graph",
};

/** Which way a query went: "starter-clap hears it, a bridge leads to starter-clip". */
export function pathInWords({ path, plan, ms }: NonNullable<Feed["found"]>): string {
  const steps = path.map((step) => {
    const [first, second] = step.split("/");
    if (first === "bridge") return `over the bridge ${second}`;
    const verb = {
      text: "reads the text",
      image: "looks at the picture",
      audio: "hears the sound",
    }[second as "text"];
    return `${first} ${verb ?? second}`;
  });
  const way = steps.length === 0 ? "from the item's own embedding" : steps.join(", ");
  return `${way}; ${plans[plan]}, ${Math.max(1, Math.round(ms))} ms`;
}
