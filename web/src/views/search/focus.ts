import { batch, computed, signal } from "@preact/signals";
import { feed } from "./feed.js";

/** The item whose details are shown. */
export const focusedId = signal<string>();

export const focused = computed(() => feed.value.items.find(({ id }) => id === focusedId.value));

/** Counts what gives the browser's focus to the tile that is the results' tab stop. */
export const focusRequests = signal(0);

/** Shows an item's details, and gives its tile the browser's focus. */
export function focusItem(id: string): void {
  batch(() => {
    focusedId.value = id;
    focusRequests.value++;
  });
}

/** The details go; the focus, which may have been in them, is where the item is. */
export function closeDetails(): void {
  batch(() => {
    focusedId.value = undefined;
    focusRequests.value++;
  });
}
