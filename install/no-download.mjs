// Before npm installs crossmodal's dependencies: onnxruntime-node would download CUDA libraries of
// some hundred megabytes, and fail behind a firewall (docs/decisions/0114). npm runs the preinstall
// scripts of all packages before any other script, so this one can turn the default around: nothing
// is downloaded unless ONNXRUNTIME_NODE_INSTALL asks for it.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const mark = "// crossmodal: no download unless it is asked for";
const guard = `if (!Object.keys(process.env).some((name) => /onnxruntime_node_install/i.test(name))) process.exit(0); ${mark}\n`;

try {
  const path = createRequire(import.meta.url).resolve("onnxruntime-node/script/install.js");
  const script = readFileSync(path, "utf8");
  if (!script.includes(mark)) writeFileSync(path, guard + script);
} catch (error) {
  // Another package manager's order or layout: its own switch is in docs/library.md
  console.warn(`crossmodal: onnxruntime-node may download CUDA libraries (${error.message})`);
}
