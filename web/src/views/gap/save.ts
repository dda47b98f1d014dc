import type { GapAnswer } from "../../../../src/wire/gap.js";
import { download } from "../../download.js";

const styled = [
  "fill",
  "stroke",
  "stroke-width",
  "stroke-opacity",
  "stroke-dasharray",
  "opacity",
  "fill-opacity",
  "paint-order",
  "font-family",
  "font-size",
  "font-weight",
] as const;
/** Below the picture, for the line that says what it shows. */
const captionHeight = 28;
/** Of a PNG, for a column of a paper at 300 dots an inch. */
const pngScale = 3;

export function saveJson(report: GapAnswer): void {
  const text = JSON.stringify(report, undefined, 2);
  download("modality-gap.json", new Blob([text], { type: "application/json" }));
}

/** The picture as it is on the screen, with its colours and a caption written into it. */
export function saveSvg(picture: SVGSVGElement, caption: string): void {
  download("modality-gap.svg", svgBlob(picture, caption));
}

export async function savePng(picture: SVGSVGElement, caption: string): Promise<void> {
  const url = URL.createObjectURL(svgBlob(picture, caption));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const { width, height } = picture.viewBox.baseVal;
    const canvas = new OffscreenCanvas(width * pngScale, (height + captionHeight) * pngScale);
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    download("modality-gap.png", await canvas.convertToBlob({ type: "image/png" }));
  } finally {
    URL.revokeObjectURL(url);
  }
}

const svgBlob = (picture: SVGSVGElement, caption: string) =>
  new Blob([standalone(picture, caption)], { type: "image/svg+xml" });

function standalone(picture: SVGSVGElement, caption: string): string {
  const copy = picture.cloneNode(true) as SVGSVGElement;
  const { width, height } = picture.viewBox.baseVal;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height + captionHeight));
  copy.setAttribute("viewBox", `0 0 ${width} ${height + captionHeight}`);
  const from = [...picture.querySelectorAll("*")];
  for (const [i, element] of [...copy.querySelectorAll("*")].entries()) {
    const style = getComputedStyle(from[i]);
    for (const name of styled) element.setAttribute(name, style.getPropertyValue(name));
    element.removeAttribute("class");
  }
  const colours = getComputedStyle(document.documentElement);
  const add = (name: string, attributes: Record<string, string | number>) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
    return element;
  };
  const fill = (token: string) => colours.getPropertyValue(token).trim();
  copy.prepend(add("rect", { width: "100%", height: "100%", fill: fill("--surface") }));
  const line = add("text", {
    x: width / 2,
    y: height + 16,
    "text-anchor": "middle",
    "font-family": "Inter, system-ui, sans-serif",
    "font-size": 12,
    fill: fill("--ink"),
  });
  line.textContent = caption;
  copy.append(line);
  return new XMLSerializer().serializeToString(copy);
}
