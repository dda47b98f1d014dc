import type { ComponentType } from "preact";
import { useEffect, useErrorBoundary, useState } from "preact/hooks";
import { returns } from "../server.js";
import type { View } from "../views.js";
import { Notice } from "./notice.js";

/** A view, once its part of the page has loaded; its errors stay inside it. */
export function LazyView({ view }: { view: View }) {
  const [loaded, setLoaded] = useState<{ Component: ComponentType }>();
  const [failure, setFailure] = useState<unknown>();
  const [thrown, resetThrown] = useErrorBoundary((error) => console.error(error));
  useEffect(() => {
    if (loaded !== undefined) return;
    view.load().then(({ default: Component }) => {
      setFailure(undefined);
      setLoaded({ Component });
    }, setFailure);
  }, [view, returns.value]);
  if (thrown !== undefined)
    return (
      <main>
        <Notice kind="bad" title="This view stopped working" action={["Try again", resetThrown]}>
          This is a fault of the page; nothing stored is affected:{" "}
          {thrown instanceof Error ? thrown.message : String(thrown)}
        </Notice>
      </main>
    );
  if (failure !== undefined)
    return (
      <main>
        <Notice kind="bad" title="This view could not be loaded" action={["Reload", reload]}>
          The server does not answer, or has been updated since this page was opened.
        </Notice>
      </main>
    );
  return loaded === undefined ? <main aria-busy="true" /> : <loaded.Component />;
}

const reload = () => location.reload();
