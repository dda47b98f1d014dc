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
/** Of a line below the picture: its legend, and what it shows. */
const lineHeight = 24;
/** Around the picture. */
const margin = 12;
/** Of a PNG, for a column of a paper at 300 dots an inch. */
const pngScale = 3;

export function saveJson(report: GapAnswer): void {
  const text = JSON.stringify(report, undefined, 2);
  download("modality-gap.json", new Blob([text], { type: "application/json" }));
}

/**
 * The picture as it is on the screen, with its colours, legend and a caption written into it.
 * @param figure  has the picture, and perhaps a legend: a mark and a name in each span.
 */
export function saveSvg(figure: HTMLElement, name: string, caption: string): void {
  download(`${name}.svg`, svgBlob(figure, caption));
}

export async function savePng(figure: HTMLElement, name: string, caption: string): Promise<void> {
  const url = URL.createObjectURL(svgBlob(figure, caption));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width * pngScale, image.height * pngScale);
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    download(`${name}.png`, await canvas.convertToBlob({ type: "image/png" }));
  } finally {
    URL.revokeObjectURL(url);
  }
}

const svgBlob = (figure: HTMLElement, caption: string) =>
  new Blob([standalone(figure, caption)], { type: "image/svg+xml" });

function standalone(figure: HTMLElement, caption: string): string {
  const picture = figure.querySelector("svg")!;
  const names = [...figure.querySelectorAll<HTMLElement>("figcaption span")];
  const copy = picture.cloneNode(true) as SVGSVGElement;
  const { width, height } = picture.viewBox.baseVal;
  const whole = height + lineHeight * (names.length > 0 ? 2 : 1);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const page = { width: width + 2 * margin, height: whole + 2 * margin };
  copy.setAttribute("width", String(page.width));
  copy.setAttribute("height", String(page.height));
  copy.setAttribute("viewBox", `${-margin} ${-margin} ${page.width} ${page.height}`);
  const from = [...picture.querySelectorAll("*")];
  for (const [i, element] of [...copy.querySelectorAll("*")].entries()) {
    const style = getComputedStyle(from[i]);
    for (const name of styled) element.setAttribute(name, style.getPropertyValue(name));
    element.removeAttribute("class");
  }
  const colours = getComputedStyle(document.documentElement);
  const fill = (token: string) => colours.getPropertyValue(token).trim();
  copy.prepend(shape("rect", { x: -margin, y: -margin, ...page, fill: fill("--surface") }));
  const text = { "font-family": "Inter, system-ui, sans-serif", fill: fill("--ink") };
  for (const [i, name] of names.entries()) {
    const x = (i * width) / names.length;
    const y = height + lineHeight / 2;
    const label = shape("text", { ...text, "font-size": 11, x: x + 28, y: y + 4 });
    label.textContent = name.textContent.trim();
    copy.append(shape("path", { d: `M${x} ${y}h22`, ...strokeOf(name) }), label);
  }
  const at = { "text-anchor": "middle", x: width / 2, y: whole - 10 };
  const line = shape("text", { ...text, "font-size": 12, ...at });
  line.textContent = caption;
  copy.append(line);
  return new XMLSerializer().serializeToString(copy);
}

function shape(name: string, attributes: Record<string, string | number>): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** A legend's mark is a line or a small square. */
function strokeOf(name: HTMLElement) {
  const style = getComputedStyle(name.querySelector("i")!);
  const isLine = style.borderTopStyle !== "none";
  return {
    stroke: isLine ? style.borderTopColor : style.backgroundColor,
    "stroke-width": isLine ? 2 : 8,
    "stroke-dasharray": style.borderTopStyle === "dashed" ? "5 4" : "none",
    opacity: style.opacity,
  };
}
