import { z } from "zod";
import * as bridges from "../wire/bridges.js";
import * as collections from "../wire/collections.js";
import * as common from "../wire/common.js";
import * as embeddings from "../wire/embeddings.js";
import * as error from "../wire/error.js";
import { Media, Modality } from "../wire/field-types.js";
import * as gap from "../wire/gap.js";
import * as heads from "../wire/heads.js";
import * as items from "../wire/items.js";
import * as jobs from "../wire/jobs.js";
import * as models from "../wire/models.js";
import * as search from "../wire/search.js";
import * as server from "../wire/server.js";
import * as training from "../wire/training.js";
import * as zeroShot from "../wire/zero-shot.js";

const described = [
  { Media, Modality },
  bridges,
  collections,
  common,
  embeddings,
  error,
  gap,
  heads,
  items,
  jobs,
  models,
  search,
  server,
  training,
  zeroShot,
];

/**
 * Named schemas of the document: the exports of `src/wire`, by their names there.
 */
export const schemaNames = z.registry<{ id: string }>();
for (const schemas of described) {
  for (const [id, schema] of Object.entries(schemas)) {
    if (schema instanceof z.ZodType) schemaNames.add(schema, { id });
  }
}
