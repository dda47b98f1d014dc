import { useEffect, useRef } from "preact/hooks";
import { HelpButton } from "./components/help.js";
import { KeyForm } from "./components/key-form.js";
import { LazyView } from "./components/lazy-view.js";
import { NoAnswer } from "./components/no-answer.js";
import { StatusLine } from "./components/status-line.js";
import { Toasts } from "./components/toasts.js";
import { linkTo, route } from "./router.js";
import { needsKey } from "./server.js";
import { views } from "./views.js";

/** Views of one collection, which the first part of their path names. */
const ofCollections = ["search", "map", "gap"];

/** From the map of a collection to its items, and back. Gap needs two kinds, so one chooses. */
function pathInto(id: string): readonly string[] {
  const { view, path } = route.value;
  const isShared = ofCollections.includes(view) && ofCollections.includes(id) && id !== "gap";
  return isShared ? path.slice(0, 1) : [];
}

/**
 * The frame around every view: navigation, the server's state, and messages about what was just
 * done.
 */
export function App() {
  const current = views.find(({ id }) => id === route.value.view) ?? views[0];
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    document.title = `${current.title} · crossmodal`;
    // Where they do not all fit
    nav.current
      ?.querySelector("[aria-current]")
      ?.scrollIntoView({ inline: "center", block: "end" });
  }, [current]);
  return (
    <>
      <header class="top">
        <a class="mark" href={linkTo(views[0].id)}>
          <span class="dots" aria-hidden="true">
            <i class="text" />
            <i class="image" />
            <i class="audio" />
          </span>
          crossmodal
        </a>
        <nav aria-label="Views" ref={nav}>
          {views.map(({ id, title }) => (
            <a
              key={id}
              href={linkTo(id, pathInto(id))}
              aria-current={id === current.id ? "page" : undefined}
            >
              {title}
            </a>
          ))}
        </nav>
        <StatusLine />
        <HelpButton />
      </header>
      {needsKey.value && <KeyForm />}
      {/* Hidden meanwhile: what was chosen and written in it stays */}
      <div hidden={needsKey.value}>
        <LazyView key={current.id} view={current} />
      </div>
      <div class="messages">
        <NoAnswer />
        <Toasts />
      </div>
    </>
  );
}
