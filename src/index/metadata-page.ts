import { checkFilter } from "./filter.js";
import { modalities } from "./modalities.js";
import type { MetadataOptions, MetadataPage } from "./vector-store.js";

/** A page of metadata as drivers are asked for it. `modality` is a number (modalities.ts). */
export const checkedPage = ({ filter, modality, limit, before }: MetadataOptions) => ({
  before: before ?? Number.MAX_SAFE_INTEGER,
  limit,
  filter: filter && checkFilter(filter),
  modality: modality && modalities.indexOf(modality),
});

export interface MetadataRow {
  row: number;
  id: string;
  metadata: string;
}

/** From rows newest first; a full page may not be the last. */
export function metadataPage(
  rows: readonly MetadataRow[],
  { limit }: MetadataOptions,
): MetadataPage {
  const metadata = rows.map((one) => JSON.parse(one.metadata));
  return {
    ids: rows.map(({ id }) => id),
    metadata,
    ...(rows.length === limit && { next: rows.at(-1)?.row }),
  };
}
