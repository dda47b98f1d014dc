import { useEffect, useState } from "preact/hooks";
import type { CollectionFields } from "../../../src/wire/collection-fields.js";
import { returns, server } from "../server.js";

/**
 * The metadata fields of a collection, each with its most frequent values; none while they are not
 * there, or cannot be read.
 */
export function useCollectionFields(
  collection: string,
  { values }: { values: number },
): CollectionFields["fields"] {
  const [answer, setAnswer] = useState<{ of: string; fields: CollectionFields["fields"] }>();
  useEffect(() => {
    if (collection === "") return;
    const abort = new AbortController();
    server
      .peek()
      .collectionFields(collection, { values }, { signal: abort.signal })
      .then(
        ({ fields }) => setAnswer({ of: collection, fields }),
        () => undefined,
      );
    return () => abort.abort();
  }, [collection, values, returns.value]);
  return answer?.of === collection ? answer.fields : [];
}
