import { DOMParser } from "@xmldom/xmldom";
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
