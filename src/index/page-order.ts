/**
 * By when they were stored, where an item whose vector changes counts as new: it may be missed by
 * who pages from the newest on. By id: in the order of the bytes of their UTF-8.
 */
export type PageOrder = "oldest" | "newest" | "id";

interface KeysetOrder {
  by: "row" | "id";
  /** Compares an item with the last of the page before. */
  beyond: ">" | "<";
  direction: "asc" | "desc";
  /** Before the first page. */
  start: number | string;
}

/** How drivers page in each order: from the key of the last item on, whose column has an index. */
export const pageOrders: Readonly<Record<PageOrder, KeysetOrder>> = {
  oldest: { by: "row", beyond: ">", direction: "asc", start: 0 },
  newest: { by: "row", beyond: "<", direction: "desc", start: Number.MAX_SAFE_INTEGER },
  id: { by: "id", beyond: ">", direction: "asc", start: "" },
};
