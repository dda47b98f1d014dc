import { readdirSync, readFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { startMediaWorkers } from "../../../src/encoders/preprocess/media-workers.js";
import { fixture } from "../../helpers/fixtures.js";

// A process of low priority that decodes a picture, then prints the priority of its main thread and those of all
// (proc_pid_stat(5), field 19).

setPriority(Math.max(10, getPriority()));
const media = startMediaWorkers(1);
await media.decodeImage(fixture("images/cat.jpg"), { maxPixels: 1e8 });
const all = readdirSync("/proc/self/task").map((thread) => {
  const stat = readFileSync(`/proc/self/task/${thread}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
});
await media.close();
console.log(JSON.stringify({ own: getPriority(), all }));
