import { writeFileSync } from "node:fs";
import { environmentNameOf, flagOf } from "../src/config/option.js";
import { type OptionName, options, shownDefault } from "../src/config/options.js";
import { reloadable } from "../src/config/reload.js";

/**
 * docs/configuration.md from the schema: `npx tsx scripts/configuration-page.ts`.
 * A test checks that it is up to date.
 */
export function configurationPage(): string {
  const rows = Object.entries(options).map(([name, { description }]) => {
    const value = shownDefault(name as OptionName);
    return (
      `| \`${name}\` | \`${flagOf(name)}\` | \`${environmentNameOf(name)}\` | ` +
      `${value === "" ? "none" : `\`${value}\``} | ${description} |`
    );
  });
  return `# Configuration

A flag wins over the environment, the environment over the config file, the file over the default.
The config file (\`--config FILE\` or \`CROSSMODAL_CONFIG\`) is one JSON object of the names below.
A misspelt option is an error that suggests the right name.
Values that differ from the defaults are logged at startup, without keys.

| option | flag | environment | default | meaning |
|---|---|---|---|---|
${rows.join("\n")}

A reload ([operations.md](operations.md#change-the-configuration)) applies changes of ${inWords(reloadable)}; the others need a restart.

Without \`dataDir\`, data is stored in \`$XDG_DATA_HOME/crossmodal\` or \`~/.local/share/crossmodal\` on Linux, \`~/Library/Application Support/crossmodal\` on macOS, \`%LOCALAPPDATA%\\crossmodal\` on Windows.
Messages about missing data name the folder, and \`crossmodal doctor\` shows it.

A config file:

\`\`\`json
{ "port": 8081, "models": ["starter-clip", "starter-clap"], "aliases": { "clip": "starter-clip" }, "maxAudioSeconds": 7200 }
\`\`\`

Lists are arrays there, and numbers are numbers; in the environment and as flags lists are comma-separated.

\`crossmodal models pull\` also reads the variables of the hub and the system:
\`HF_ENDPOINT\`, \`HF_TOKEN\`, \`HF_HOME\`, \`HF_HUB_CACHE\`, \`HF_HUB_OFFLINE\`, \`HTTPS_PROXY\`, \`HTTP_PROXY\` and \`NO_PROXY\` ([models.md](models.md)).
No other command reads them.
`;
}

const inWords = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");

if (process.argv[1]?.endsWith("configuration-page.ts"))
  writeFileSync("docs/configuration.md", configurationPage());
