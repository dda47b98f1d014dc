import { DOMParser, type Document, type Element, type Node, XMLSerializer } from "@xmldom/xmldom";

/** What a program says about a file. */
export interface Tags {
  labels: readonly { label: string; confidence: number }[];
  /** Space of the model, and head or label set. */
  by: string;
}

/** Our own vocabulary: keywords that people gave stay as they are, and can be told apart. */
export const tagsNamespace = "urn:crossmodal:xmp:tags:1.0:";
const rdfNamespace = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const metaNamespace = "adobe:ns:meta/";

const empty = `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="${metaNamespace}">
 <rdf:RDF xmlns:rdf="${rdfNamespace}">
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
`;

/**
 * An XMP packet (ISO 16684-1) with these tags in place of any earlier ones of ours. What others
 * wrote into it stays.
 *
 * @param existing  the sidecar as it is.
 * @returns undefined when it already has exactly these tags.
 * @throws Error for a document that is not XMP, saying why.
 */
export function withTags(existing: string | undefined, tags: Tags): string | undefined {
  const document = parse(existing ?? empty);
  const [rdf] = document.getElementsByTagNameNS(rdfNamespace, "RDF");
  if (rdf === undefined) throw new Error("it is not XMP: it has no rdf:RDF");
  const before = new XMLSerializer().serializeToString(document);
  removeOwnTags(document);
  if (isSpace(rdf.lastChild)) rdf.removeChild(rdf.lastChild as Node);
  rdf.appendChild(document.createTextNode("\n  "));
  rdf.appendChild(description(document, tags));
  rdf.appendChild(document.createTextNode("\n "));
  const after = new XMLSerializer().serializeToString(document);
  return existing !== undefined && after === before ? undefined : after;
}

function parse(xml: string): Document {
  let problem: string | undefined;
  const parser = new DOMParser({
    onError: (level, message) => {
      if (level !== "warning") problem ??= message.split("\n")[0];
    },
  });
  try {
    const document = parser.parseFromString(xml.replace(/^\ufeff/, ""), "text/xml");
    if (problem === undefined) return document;
  } catch (error) {
    problem ??= (error as Error).message.split("\n")[0];
  }
  throw new Error(`it is not XML: ${problem}`);
}

/** Properties of ours, wherever another program put them, and descriptions that hold no others. */
function removeOwnTags(document: Document): void {
  for (const element of [...document.getElementsByTagNameNS(rdfNamespace, "Description")]) {
    for (const attribute of [...element.attributes])
      if (attribute.namespaceURI === tagsNamespace) element.removeAttributeNode(attribute);
    const children = [...element.childNodes];
    const ownProperties = children.filter(
      (child) => (child as Element).namespaceURI === tagsNamespace,
    );
    for (const child of ownProperties) element.removeChild(child);
    if (
      ownProperties.length === 0 ||
      children.some((child) => isProperty(child as Element) && !ownProperties.includes(child))
    )
      continue;
    const hasOthers = [...element.attributes].some(
      ({ namespaceURI, name }) => name !== "rdf:about" && namespaceURI !== xmlnsNamespace,
    );
    if (hasOthers) continue;
    const { previousSibling: space, parentNode: parent } = element;
    if (isSpace(space)) parent?.removeChild(space as Node);
    parent?.removeChild(element);
  }
}

const xmlnsNamespace = "http://www.w3.org/2000/xmlns/";
const isSpace = (node: Node | null) => node?.nodeType === 3 && node.nodeValue?.trim() === "";
const isProperty = (node: Element) => node.nodeType === 1;

function description(document: Document, { labels, by }: Tags): Element {
  const rdf = (name: string) => document.createElementNS(rdfNamespace, `rdf:${name}`);
  const tagElement = (name: string, text?: string) => {
    const element = document.createElementNS(tagsNamespace, `crossmodal:${name}`);
    if (text !== undefined) element.appendChild(document.createTextNode(withoutControls(text)));
    return element;
  };
  const append = (parent: Element, children: readonly Element[], indent: string) => {
    for (const child of children) {
      parent.appendChild(document.createTextNode(`\n${indent} `));
      parent.appendChild(child);
    }
    parent.appendChild(document.createTextNode(`\n${indent}`));
    return parent;
  };
  const items = labels.map(({ label, confidence }) => {
    const item = rdf("li");
    item.setAttributeNS(rdfNamespace, "rdf:parseType", "Resource");
    const parts = [tagElement("Label", label), tagElement("Confidence", confidence.toFixed(4))];
    return append(item, parts, "     ");
  });
  const tags = append(tagElement("Tags"), [append(rdf("Seq"), items, "    ")], "   ");
  const root = rdf("Description");
  root.setAttributeNS(rdfNamespace, "rdf:about", "");
  root.setAttributeNS(xmlnsNamespace, "xmlns:crossmodal", tagsNamespace);
  return append(root, [tagElement("TaggedBy", by), tags], "  ");
}

/** Characters that XML cannot hold. */
const withoutControls = (text: string) =>
  text.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "?");
