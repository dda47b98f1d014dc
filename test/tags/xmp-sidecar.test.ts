import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DOMParser, type Element } from "@xmldom/xmldom";
import { describe, expect, it } from "vitest";
import { tagsNamespace, withTags } from "../../src/tags/xmp-sidecar.js";

const rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const tags = {
  labels: [
    { label: "cat & <dog>", confidence: 0.95678 },
    { label: "日本\u0001", confidence: 0.5 },
  ],
  by: "starter-clip@1cc90f00",
};
/** As darktable writes it: properties as attributes, others as elements. */
const theirs = `<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="${rdf}">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="4">
   <dc:subject><rdf:Bag><rdf:li>holiday</rdf:li></rdf:Bag></dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
`;

/** What a reader of XMP sees: property by namespace and name. */
function read(xml: string) {
  const onError = (level: string, message: string) => {
    throw new Error(`${level}: ${message}`);
  };
  const document = new DOMParser({ onError }).parseFromString(xml, "text/xml");
  const text = (namespace: string, name: string) =>
    [...document.getElementsByTagNameNS(namespace, name)].map(({ textContent }) => textContent);
  return {
    labels: text(tagsNamespace, "Label"),
    confidences: text(tagsNamespace, "Confidence"),
    by: text(tagsNamespace, "TaggedBy"),
    keywords: text("http://purl.org/dc/elements/1.1/", "subject"),
    descriptions: document.getElementsByTagNameNS(rdf, "Description").length,
  };
}

describe("withTags", () => {
  it("makes a packet that holds labels with their confidence, escaped", () => {
    const xml = withTags(undefined, tags)!;
    expect(xml).toMatch(/^<\?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"\?>/);
    expect(xml.trimEnd()).toMatch(/<\?xpacket end="w"\?>$/);
    expect(read(xml)).toEqual({
      labels: ["cat & <dog>", "日本?"],
      confidences: ["0.9568", "0.5000"],
      by: ["starter-clip@1cc90f00"],
      keywords: [],
      descriptions: 1,
    });
  });

  it("keeps what others wrote, replaces its own, and changes nothing when it says the same", () => {
    const first = withTags(theirs, tags)!;
    expect(first).toContain('xmp:Rating="4"');
    expect(read(first)).toMatchObject({ keywords: ["holiday"], descriptions: 2 });
    expect(withTags(first, tags)).toBeUndefined();
    const other = { labels: [{ label: "bus", confidence: 1 }], by: "x" };
    const second = withTags(first, other)!;
    expect(read(second)).toMatchObject({ labels: ["bus"], keywords: ["holiday"], descriptions: 2 });
    expect(withTags(second, tags)).toBe(first);
    expect(read(withTags(second, { labels: [], by: "x" })!).labels).toEqual([]);
  });

  it("finds its own where another program has put it", () => {
    const merged = theirs.replace(
      "xmp:Rating",
      `xmlns:c="${tagsNamespace}" c:TaggedBy="old" xmp:Rating`,
    );
    expect(read(withTags(merged, tags)!)).toMatchObject({ by: [tags.by], descriptions: 2 });
    expect(withTags(merged, tags)).not.toContain("old");
  });

  it.each([
    ["no XML", "holiday, beach"],
    ["cut XML", theirs.slice(0, 300)],
    ["XML that is not XMP", "<a><b/></a>"],
    ["nothing", ""],
  ])("refuses %s", (_, xml) => {
    expect(() => withTags(xml, tags)).toThrow(/^it is not XM(L|P)/);
  });
});

/**
 * What ISO 16684-1, 7.4 to 7.9, allows below rdf:RDF, as far as our properties go: descriptions of
 * the whole file, properties of a namespace of their own, texts, arrays and structures.
 * @returns the properties as exiftool has them with -struct.
 */
function readStrictly(xml: string): Record<string, unknown> {
  const document = new DOMParser().parseFromString(xml, "text/xml");
  const root = document.documentElement as Element;
  expect([root.namespaceURI, root.localName]).toEqual(["adobe:ns:meta/", "xmpmeta"]);
  const children = (element: Element) =>
    [...element.childNodes].filter((node) => {
      if (node.nodeType === 3) return false;
      expect(node.nodeType).toBe(1);
      return true;
    }) as Element[];
  const readValue = (element: Element): unknown => {
    const inner = children(element);
    if (element.getAttributeNS(rdf, "parseType") === "Resource") return readStruct(inner);
    if (inner.length === 0) return element.textContent;
    expect(inner.map(({ namespaceURI, localName }) => [namespaceURI, localName])).toEqual([
      [rdf, "Seq"],
    ]);
    const items = children(inner[0]);
    for (const item of items) expect([item.namespaceURI, item.localName]).toEqual([rdf, "li"]);
    return items.map(readValue);
  };
  const readStruct = (fields: Element[]) => {
    for (const { namespaceURI } of fields) expect(namespaceURI).toBe(tagsNamespace);
    const entries = fields.map((field) => [field.localName!, readValue(field)] as const);
    expect(new Set(entries.map(([name]) => name)).size).toBe(entries.length);
    return Object.fromEntries(entries);
  };
  const [top, ...others] = children(root);
  expect([top.namespaceURI, top.localName, others]).toEqual([rdf, "RDF", []]);
  return Object.assign(
    {},
    ...children(top).map((description) => {
      expect([description.namespaceURI, description.localName]).toEqual([rdf, "Description"]);
      expect(description.getAttributeNS(rdf, "about")).toBe("");
      return readStruct(children(description));
    }),
  );
}

const expected = {
  TaggedBy: "starter-clip@1cc90f00",
  Tags: [
    { Label: "cat & <dog>", Confidence: "0.9568" },
    { Label: "日本?", Confidence: "0.5000" },
  ],
};

it("makes a sidecar in the form of ISO 16684-1", () => {
  expect(readStrictly(withTags(undefined, tags)!)).toEqual(expected);
});

const exiftool = (...args: string[]) => execFileSync("exiftool", args, { encoding: "utf8" });
const hasExiftool = (() => {
  try {
    return exiftool("-ver").length > 0;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasExiftool)("exiftool", () => {
  const file = join(mkdtempSync(join(tmpdir(), "crossmodal-xmp-")), "cat.jpg.xmp");
  const readBack = () => JSON.parse(exiftool("-j", "-struct", "-XMP:all", file))[0];
  const numbers = expected.Tags.map((tag) => ({ ...tag, Confidence: Number(tag.Confidence) }));

  it("reads labels and confidence, and finds nothing to warn of", () => {
    writeFileSync(file, withTags(undefined, tags)!);
    expect(readBack()).toMatchObject({ TaggedBy: tags.by, Tags: numbers });
    expect(exiftool("-validate", "-warning", "-a", file)).toMatch(/^Validate +: OK\s*$/);
  });

  it("may write into the sidecar: we find our tags again, and leave its own", () => {
    exiftool("-overwrite_original", "-XMP-dc:Subject=holiday", "-XMP:Rating=4", file);
    const rewritten = readFileSync(file, "utf8");
    const other = { labels: [{ label: "bus", confidence: 1 }], by: "x" };
    writeFileSync(file, withTags(rewritten, other)!);
    expect(readBack()).toMatchObject({
      TaggedBy: "x",
      Tags: [{ Label: "bus", Confidence: 1 }],
      Subject: ["holiday"],
      Rating: 4,
    });
  });
});
