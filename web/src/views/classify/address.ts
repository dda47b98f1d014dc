import { effect, signal } from "@preact/signals";
import { toast } from "../../components/toasts.js";
import { navigate, type Route, route } from "../../router.js";
import { needsKey, returns, sentenceOf, server } from "../../server.js";
import { examples } from "./examples.js";
import { isAsSaved } from "./request.js";
import { followSavedSets, fromSaved } from "./saved-sets.js";
import { offerLabels } from "./starting-labels.js";
import {
  changeSet,
  classifyAfterPause,
  closeInputs,
  inputs,
  openExample,
  selected,
  sets,
  stopAsking,
} from "./state.js";
import { headNamed, refreshTaughtHeads, withHead } from "./taught-heads.js";

/** What the address names is being opened; until then the address is not changed. */
const isOpening = signal(false);

/**
 * Runs while the view is shown: classifies, and keeps the address in step. Returns a function that
 * stops it.
 */
export function startClassifying(): () => void {
  let hasLinked = false;
  if (route.peek().params.size > 0) void follow();
  const stopFollowing = route.subscribe((current) => {
    // Back and forward: what this page wrote itself is already shown
    const isShown = (current.params.get("example") ?? undefined) === selected.peek()?.example?.id;
    if (hasLinked && isHere(current) && !isShown) void follow();
  });
  const stopClassifying = effect(() => {
    // Again once a key was entered, or the server is back
    void returns.value;
    if (inputs.value.length > 0 && sets.value.length > 0 && !needsKey.value) classifyAfterPause();
  });
  const stopLinking = effect(() => {
    if (isOpening.value) return;
    link({ isFirst: !hasLinked });
    hasLinked = true;
  });
  const stopFollowingSets = followSavedSets();
  const stopOffering = offerLabels();
  return () => {
    stopFollowing();
    stopFollowingSets();
    stopOffering();
    stopClassifying();
    stopLinking();
    stopAsking();
  };
}

const isHere = ({ view }: Route) => view === "classify" || view === "";

/** Each example is a history entry; labels and prompts change the current one. */
function link({ isFirst }: { isFirst: boolean }): void {
  const { example } = selected.value ?? {};
  const [set] = sets.value;
  const { labels, prompt, saved, start, head } = set;
  const isOwn = start !== "words" && labels.join() !== (example?.labels ?? []).join();
  const isAsked = head?.labels === undefined;
  const written = isAsSaved(set)
    ? { set: saved!.name }
    : { labels: isOwn ? labels.join("|") : undefined, prompt };
  const params = {
    example: example?.id,
    head: head?.reference,
    ...(isAsked && written),
  };
  const isStep = (route.peek().params.get("example") ?? undefined) !== example?.id;
  navigate("classify", [], { params, replace: isFirst || !isStep });
}

/** Opens what the address names, again if it changes meanwhile. */
async function follow(): Promise<void> {
  if (isOpening.peek()) return;
  isOpening.value = true;
  try {
    let opened: Route;
    do {
      opened = route.peek();
      await openRoute(opened);
    } while (route.peek() !== opened && isHere(route.peek()));
  } catch (error) {
    toast(sentenceOf(error));
  } finally {
    isOpening.value = false;
  }
}

async function openRoute({ params }: Route): Promise<void> {
  const labels = params.get("labels")?.split("|").filter(Boolean);
  const example = examples.find(({ id }) => id === params.get("example"));
  const shown = selected.peek()?.example;
  if (example !== undefined && example !== shown) await openExample(example, labels);
  else if (example === undefined && shown !== undefined) closeInputs();
  const { id } = sets.peek()[0];
  if (example === undefined && labels !== undefined) changeSet(id, { labels });
  const prompt = params.get("prompt");
  if (prompt) changeSet(id, { prompt });
  const head = params.get("head");
  if (head) {
    await refreshTaughtHeads();
    const found = headNamed(head);
    if (found === undefined) toast(`${head} is not taught on this server, or not in use`);
    else changeSet(id, withHead(found));
  }
  const saved = params.get("set");
  if (saved) changeSet(id, fromSaved(await server.peek().getLabelSet(saved)));
}
