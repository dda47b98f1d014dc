import type { GapAnswer } from "../../../../src/wire/gap.js";
import { download } from "../../download.js";

const styled = ["fill", "stroke", "stroke-width", "opacity", "fill-opacity", "font"] as const;
/** Of a PNG, for a column of a paper at 300 dots an inch. */
const pngScale = 3;

export function saveJson(report: GapAnswer): void {
  const text = JSON.stringify(report, undefined, 2);
  download("modality-gap.json", new Blob([text], { type: "application/json" }));
}

/** The picture as it is on the screen, with its colours written into it. */
export function saveSvg(picture: SVGSVGElement): void {
  download("modality-gap.svg", new Blob([standalone(picture)], { type: "image/svg+xml" }));
}

export async function savePng(picture: SVGSVGElement): Promise<void> {
  const url = URL.createObjectURL(new Blob([standalone(picture)], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const { width, height } = picture.viewBox.baseVal;
    const canvas = new OffscreenCanvas(width * pngScale, height * pngScale);
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    download("modality-gap.png", await canvas.convertToBlob({ type: "image/png" }));
  } finally {
    URL.revokeObjectURL(url);
  }
}

function standalone(picture: SVGSVGElement): string {
  const copy = picture.cloneNode(true) as SVGSVGElement;
  const { width, height } = picture.viewBox.baseVal;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  const from = [...picture.querySelectorAll("*")];
  for (const [i, element] of [...copy.querySelectorAll("*")].entries()) {
    const style = getComputedStyle(from[i]);
    for (const name of styled) element.setAttribute(name, style.getPropertyValue(name));
    element.removeAttribute("class");
  }
  return new XMLSerializer().serializeToString(copy);
}
