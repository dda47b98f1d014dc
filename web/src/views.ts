import type { ComponentType } from "preact";

/** A view is loaded when it is first opened. It reads its path and parameters from `route`. */
export interface View {
  id: string;
  title: string;
  load: () => Promise<{ default: ComponentType }>;
}

/** In the order of the navigation: Classify, Search, Map, Teach, Gap, System. */
export const views: readonly View[] = [
  {
    id: "classify",
    title: "Classify",
    load: () => import("./views/classify/classify-view.js"),
  },
  { id: "search", title: "Search", load: () => import("./views/search/search-view.js") },
  { id: "map", title: "Map", load: () => import("./views/map/map-view.js") },
  { id: "teach", title: "Teach", load: () => import("./views/teach/teach-view.js") },
  { id: "gap", title: "Gap", load: () => import("./views/gap/gap-view.js") },
  { id: "system", title: "System", load: () => import("./views/system/system-view.js") },
];
