import { crossValidate, type Labelled, predict } from "./cross-validation.js";
import { findSuspects } from "./suspects.js";

const tasks = {
  crossValidate,
  predict,
  screen: (examples: Labelled) => findSuspects(examples, crossValidate(examples)),
};
export type LessonTasks = typeof tasks;

addEventListener("message", ({ data }: MessageEvent<[keyof LessonTasks, unknown[]]>) => {
  const [name, args] = data;
  postMessage((tasks[name] as (...args: unknown[]) => unknown)(...args));
});
