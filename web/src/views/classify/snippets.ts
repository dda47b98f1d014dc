import { hasKey, serverUrl } from "../../server.js";
import { type Input, type LabelSet, requestOf } from "./request.js";

export const languages = ["curl", "TypeScript", "Python"] as const;

/** The request that was just sent, as a program would send it. */
export function snippetOf(
  language: (typeof languages)[number],
  input: Input,
  set: LabelSet,
): string {
  const path = input.example?.path ?? input.name;
  const fields = requestOf(input, set);
  return { curl, TypeScript: typeScript, Python: python }[language](input, path, fields);
}

type Fields = ReturnType<typeof requestOf>;

function curl({ modality, text }: Input, path: string, fields: Fields): string {
  const content = text ?? `@${path}`;
  const lines = [
    `curl -s ${serverUrl}/v1/zero-shot`,
    ...(hasKey.value ? ['-H "Authorization: Bearer $CROSSMODAL_API_KEY"'] : []),
    `${text === undefined ? "-F" : "--form-string"} ${shell(`${modality}=${content}`)}`,
    ...Object.entries(fields).map(([name, value]) => `-F ${shell(`${name}=${formText(value)}`)}`),
  ];
  return lines.join(" \\\n  ");
}

function typeScript({ modality, text }: Input, path: string, fields: Fields): string {
  const isFile = text === undefined;
  const key = hasKey.value ? ", apiKey: process.env.CROSSMODAL_API_KEY" : "";
  const content = isFile ? `await openAsBlob(${JSON.stringify(path)})` : JSON.stringify(text);
  return [
    ...(isFile ? ['import { openAsBlob } from "node:fs";'] : []),
    'import { createClient } from "crossmodal/client";',
    "",
    `const client = createClient({ url: ${JSON.stringify(serverUrl)}${key} });`,
    "const answer = await client.zeroShot({",
    `  ${modality}: ${content},`,
    ...Object.entries(fields).map(([name, value]) => `  ${name}: ${spaced(value)},`),
    "});",
    "console.log(answer.scores);",
  ].join("\n");
}

function python({ modality, text }: Input, path: string, fields: Fields): string {
  const isFile = text === undefined;
  const entries = Object.entries(fields).map(
    ([name, value]) => `        ${JSON.stringify(name)}: ${pythonValue(value, isFile)},`,
  );
  const header = '    headers={"Authorization": f"Bearer {os.environ[\'CROSSMODAL_API_KEY\']}"},';
  return [
    ...(isFile ? ["import json"] : []),
    ...(hasKey.value ? ["import os"] : []),
    "import requests",
    "",
    "answer = requests.post(",
    `    ${JSON.stringify(`${serverUrl}/v1/zero-shot`)},`,
    ...(hasKey.value ? [header] : []),
    ...(isFile ? [`    files={"${modality}": open(${JSON.stringify(path)}, "rb")},`] : []),
    isFile ? "    data={" : "    json={",
    ...(isFile ? [] : [`        "${modality}": ${JSON.stringify(text)},`]),
    ...entries,
    "    },",
    ").json()",
    'print(answer["scores"])',
  ].join("\n");
}

const formText = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

/** In single quotes if the shell would interpret anything in it. */
const shell = (text: string) =>
  /^[\w@=./:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** As TypeScript and Python both write it, but for truth values. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, inner]) => `"${key}": ${spaced(inner)}`);
  return `{ ${entries.join(", ")} }`;
}

function pythonValue(value: unknown, isForm: boolean): string {
  if (typeof value === "string") return JSON.stringify(value);
  const list = typeof value === "object" ? spaced(value) : value === true ? "True" : "False";
  return isForm ? `json.dumps(${list})` : list;
}
