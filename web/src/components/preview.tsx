import { useEffect, useState } from "preact/hooks";
import type { Modality } from "../../../src/encoders/encoder.js";
import { hasKey, returns, server, serverUrl } from "../server.js";

interface Previewed {
  id: string;
  modality: Modality;
  text?: string;
}

/** A thumbnail, a waveform in the colour of sounds, or the beginning of a text. */
export function Preview({ collection, item }: { collection: string; item: Previewed }) {
  const [isMissing, setMissing] = useState(false);
  const url = usePreviewUrl(collection, item);
  useEffect(() => setMissing(false), [returns.value]);
  if (item.modality === "text")
    return <span class="preview text">{item.text ?? <i class="quiet">a text</i>}</span>;
  if (isMissing) return <span class={`preview none ${item.modality}`}>no preview</span>;
  if (item.modality === "image")
    return (
      <img
        class="preview image"
        src={url}
        alt=""
        loading="lazy"
        decoding="async"
        onError={() => url !== undefined && setMissing(true)}
      />
    );
  // The drawing is a mask, so that it has the colour of the theme.
  return (
    <span class="preview audio">
      <i style={url === undefined ? {} : { maskImage: `url("${url}")` }} />
    </span>
  );
}

/** `<img>` sends no key: where one is needed, the preview is fetched and passed on as a blob. */
function usePreviewUrl(collection: string, { id, modality }: Previewed): string | undefined {
  const [blobUrl, setBlobUrl] = useState<string>();
  const isFetched = hasKey.value && modality !== "text";
  useEffect(() => {
    if (!isFetched) return;
    const abort = new AbortController();
    let url: string | undefined;
    server
      .peek()
      .itemPreview(collection, id, { signal: abort.signal })
      .then(
        (blob) => {
          url = URL.createObjectURL(blob);
          setBlobUrl(url);
        },
        () => undefined,
      );
    return () => {
      abort.abort();
      if (url !== undefined) URL.revokeObjectURL(url);
    };
  }, [isFetched, collection, id, returns.value]);
  if (isFetched) return blobUrl;
  const seg = encodeURIComponent;
  return `${serverUrl}/v1/collections/${seg(collection)}/items/${seg(id)}/preview`;
}
