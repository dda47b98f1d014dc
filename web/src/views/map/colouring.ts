import { signal } from "@preact/signals";
import { ApiError } from "../../../../src/client/client.js";
import { modalityNames } from "../../media.js";
import { sentenceOf, server } from "../../server.js";
import { type Groups, groupsOf } from "./groups.js";
import { loadMap, type MapData, modalities } from "./map-data.js";

/** What the colours of the points mean. */
export interface Colouring extends Groups {
  /** Whose points. */
  map: string;
  /** A field of the metadata; undefined where it is the modality. */
  field?: string;
  /** Why the field's values are not shown. */
  sentence?: string;
}

export const colouring = signal<Colouring | undefined>(undefined);

let asking = new AbortController();

/** Colours the points by a field of the metadata, or by modality. */
export async function colourBy(data: MapData, field: string | undefined): Promise<void> {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  if (field === undefined) {
    colouring.value = byModality(data);
    return;
  }
  try {
    const request = { map: data.map, field };
    const values = await server.peek().mapValues(data.collection, request, { signal });
    if (!signal.aborted) colouring.value = { map: data.map, field, ...groupsOf(values) };
  } catch (error) {
    if (signal.aborted) return;
    // The server has started anew, or has made newer maps: it no longer knows this one.
    const isForgotten = error instanceof ApiError && error.param === "map";
    if (isForgotten) void loadMap(data.collection, data.method);
    else colouring.value = { ...byModality(data), sentence: sentenceOf(error) };
  }
}

export function byModality({ map, kinds }: Pick<MapData, "map" | "kinds">): Colouring {
  const counts = modalities.map((_, kind) => kinds.reduce((sum, k) => sum + Number(k === kind), 0));
  const present = modalities.filter((_, kind) => counts[kind] > 0);
  const places = modalities.map((modality) => present.indexOf(modality));
  return {
    map,
    groups: present.map((modality) => ({
      label: `${modalityNames[modality]}s`,
      colour: `--${modality}`,
      count: counts[modalities.indexOf(modality)],
    })),
    groupOf: Uint16Array.from(kinds, (kind) => places[kind]),
    coloured: present.length,
  };
}
