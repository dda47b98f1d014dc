import {
  defaultRangeExtractor,
  observeWindowOffset,
  observeWindowRect,
  type Range,
  type VirtualItem,
  Virtualizer,
  windowScroll,
} from "@tanstack/virtual-core";
import { useLayoutEffect, useReducer, useRef } from "preact/hooks";

/**
 * The visible rows of a long list, with some above and below; the window scrolls.
 * @param top  where the list begins, in pixels from the top of the page.
 * @param odd  a row of another height than the others.
 * @param kept  a row that is rendered wherever it is: the one with the focus.
 */
export function useVirtualRows(options: {
  count: number;
  rowHeight: number;
  top: number;
  odd?: { row: number; height: number };
  kept: number;
}) {
  const { count, rowHeight, top, odd, kept } = options;
  const [, show] = useReducer((n: number) => n + 1, 0);
  const settings = {
    count,
    estimateSize: (row: number) => (row === odd?.row ? odd.height : rowHeight),
    scrollMargin: top,
    overscan: 4,
    rangeExtractor: (range: Range) => {
      const visible = defaultRangeExtractor(range);
      if (kept >= count || visible.includes(kept)) return visible;
      return [...visible, kept].sort((a, b) => a - b);
    },
    getScrollElement: (): Window => window,
    observeElementRect: observeWindowRect,
    observeElementOffset: observeWindowOffset,
    scrollToFn: windowScroll,
    initialOffset: () => scrollY,
    initialRect: { width: innerWidth, height: innerHeight },
    onChange: () => show(undefined),
  };
  const ref = useRef<Virtualizer<Window, Element>>(undefined);
  ref.current ??= new Virtualizer(settings);
  const virtualizer = ref.current;
  virtualizer.setOptions(settings);
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, rowHeight, odd?.row]);
  const rows: VirtualItem[] = virtualizer.getVirtualItems();
  return {
    rows,
    totalHeight: virtualizer.getTotalSize(),
    scrollToRow: (row: number) => virtualizer.scrollToIndex(row, { align: "auto" }),
  };
}
