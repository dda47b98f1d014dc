/** How strongly a point can stand out, in steps. */
export const levels = 8;
/** Of a point, in pixels. */
export const radius = 3;
const faintest = 0.07;

/** The page's colours as they are at present, and the discs drawn with them. */
export class Palette {
  readonly ink: string;
  readonly accent: string;
  readonly surface: string;
  readonly font: string;
  readonly nameFont: string;
  readonly #style: CSSStyleDeclaration;
  readonly #colours = new Map<string, string>();
  readonly #discs = new Map<string, readonly HTMLCanvasElement[]>();

  constructor(element: Element) {
    this.#style = getComputedStyle(element);
    this.ink = this.colour("--ink");
    this.accent = this.colour("--accent");
    this.surface = this.colour("--surface");
    this.font = `600 12px ${this.#style.fontFamily}`;
    this.nameFont = `500 12px ${this.#style.fontFamily}`;
  }

  /** @param name  of a custom property, as "--image". */
  colour(name: string): string {
    let colour = this.#colours.get(name);
    if (colour === undefined) {
      colour = this.#style.getPropertyValue(name).trim();
      this.#colours.set(name, colour);
    }
    return colour;
  }

  /** One for each level. Drawn once: copying a disc is several times faster than an arc. */
  discs(name: string, ratio: number): readonly HTMLCanvasElement[] {
    const key = `${name} ${ratio}`;
    let discs = this.#discs.get(key);
    if (discs === undefined) {
      const colour = this.colour(name);
      discs = Array.from({ length: levels }, (_, level) => discOf(colour, level, ratio));
      this.#discs.set(key, discs);
    }
    return discs;
  }
}

function discOf(colour: string, level: number, ratio: number): HTMLCanvasElement {
  const disc = document.createElement("canvas");
  disc.width = disc.height = Math.ceil(2 * (radius + 1) * ratio);
  const context = disc.getContext("2d")!;
  context.scale(ratio, ratio);
  context.fillStyle = colour;
  context.globalAlpha = faintest + (0.8 - faintest) * (level / (levels - 1));
  context.beginPath();
  context.arc(radius + 1, radius + 1, radius, 0, 2 * Math.PI);
  context.fill();
  return disc;
}
