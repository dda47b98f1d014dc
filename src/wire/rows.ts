import { z } from "zod";
import { Bytes, listOf, Numbers } from "./field-types.js";

/** Largest array: 100,000 rows of 1,024 numbers take 400 MB. */
export const maxRows = 100_000;

/** Rows of embeddings in a body: a .npy file, or arrays of numbers of equal length. */
export const RowsField = z.union([Bytes, listOf(Numbers, { min: 1, max: maxRows })]);
