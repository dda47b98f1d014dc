import { useEffect, useState } from "preact/hooks";
import type { MediaArchiveAnswer } from "../../../../src/wire/items.js";
import { toast } from "../../components/toasts.js";
import { sizeText } from "../../media.js";
import { sentenceOf, server, serverUrl } from "../../server.js";
import type { Shown } from "./feed.js";

/** The files that the collection keeps of the selected items, in one: first how large it is. */
export function Originals({ collection, items }: { collection: string; items: readonly Shown[] }) {
  const [archive, setArchive] = useState<MediaArchiveAnswer>();
  useEffect(() => setArchive(undefined), [items]);
  if (!items.some(({ media_url }) => media_url !== undefined)) return null;
  const ask = async () => {
    try {
      const ids = items.map(({ id }) => id);
      setArchive(await server.peek().archiveMedia(collection, { ids }));
    } catch (error) {
      toast(sentenceOf(error));
    }
  };
  if (archive === undefined)
    return (
      <button type="button" onClick={() => void ask()}>
        Save originals…
      </button>
    );
  const { url, files, bytes, without_media } = archive;
  return (
    <a class="button" href={`${serverUrl}${url}`} download>
      Download {files.toLocaleString()} {files === 1 ? "file" : "files"}, {sizeText(bytes)}
      {without_media > 0 && ` (${without_media.toLocaleString()} not kept)`}
    </a>
  );
}
