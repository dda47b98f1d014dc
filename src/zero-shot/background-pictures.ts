import type { DecodedImage } from "../encoders/encoder.js";
import { type Random, seededRandom } from "../math/random.js";

/** Pixels of a side: encoders reduce or enlarge pictures to some 224 anyway. */
const side = 160;

type Colour = readonly [red: number, green: number, blue: number];
/** A colour for each place, x and y in [0, 1). */
type Painter = (x: number, y: number) => Colour;

/**
 * Pictures of nothing in particular: gradients, noise, clouds, stripes, checks, shapes,
 * marks like writing, horizons, and overlays of two. Always the same ones.
 */
export function* backgroundPictures(count: number): Generator<DecodedImage> {
  const random = seededRandom(7);
  for (let i = 0; i < count; i++) {
    const ground = painters[i % painters.length](random);
    const isLayered = random.uniform() < 0.6;
    const top = isLayered ? painters[random.integer(painters.length)](random) : ground;
    const mask = cloud(random, 1 + random.integer(4));
    yield paint((x, y) => (mask(x, y) > 0.5 ? top(x, y) : ground(x, y)));
  }
}

function paint(painter: Painter): DecodedImage {
  const rgb = new Uint8Array(side * side * 3);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const colour = painter(column / side, row / side);
      const at = (row * side + column) * 3;
      for (let c = 0; c < 3; c++) rgb[at + c] = Math.round(255 * clamp(colour[c]));
    }
  }
  return { width: side, height: side, rgb };
}

const painters: ((random: Random) => Painter)[] = [
  (random) => {
    const [from, to, field] = [colour(random), colour(random), slope(random)];
    return (x, y) => blend(from, to, clamp(0.5 + field(x, y)));
  },
  (random) => {
    const [from, to] = [colour(random), colour(random)];
    const field = cloud(random, 2 + random.integer(5));
    return (x, y) => blend(from, to, field(x, y));
  },
  (random) => {
    const fields = [1, 2, 3].map(() => cloud(random, 3 + random.integer(20)));
    return (x, y) => [fields[0](x, y), fields[1](x, y), fields[2](x, y)];
  },
  (random) => {
    const [one, other, field] = [colour(random), colour(random), slope(random)];
    const lines = 2 + 30 * random.uniform() ** 2;
    return (x, y) => (Math.floor(lines * field(x, y)) % 2 === 0 ? one : other);
  },
  (random) => {
    const [one, other] = [colour(random), colour(random)];
    const [wide, high] = [2 + random.integer(16), 2 + random.integer(16)];
    return (x, y) => ((Math.floor(wide * x) + Math.floor(high * y)) % 2 === 0 ? one : other);
  },
  (random) => {
    const ground = colour(random);
    const discs = Array.from({ length: 1 + random.integer(12) }, () => ({
      x: random.uniform(),
      y: random.uniform(),
      wide: 0.03 + 0.3 * random.uniform(),
      high: 0.03 + 0.3 * random.uniform(),
      power: random.uniform() < 0.5 ? 2 : 20, // an ellipse, or nearly a rectangle
      fill: colour(random),
    }));
    return (x, y) => {
      const isInside = (disc: (typeof discs)[number]) =>
        Math.abs((x - disc.x) / disc.wide) ** disc.power +
          Math.abs((y - disc.y) / disc.high) ** disc.power <
        1;
      return discs.findLast(isInside)?.fill ?? ground;
    };
  },
  (random) => {
    const [paper, ink] = [colour(random), colour(random)];
    const lines = 4 + random.integer(16);
    const marks = cloud(random, 3 * lines);
    return (x, y) => ((lines * y) % 1 < 0.6 && marks(x, y) > 0.55 ? ink : paper);
  },
  (random) => {
    const [sky, ground, grain] = [colour(random), colour(random), cloud(random, 40)];
    const [ridge, height] = [cloud(random, 2 + random.integer(8)), 0.3 + 0.4 * random.uniform()];
    return (x, y) => {
      const base = y < height + 0.3 * (ridge(x, 0.5) - 0.5) ? sky : ground;
      return blend(base, [1, 1, 1], 0.25 * grain(x, y));
    };
  },
];

const clamp = (x: number) => Math.min(1, Math.max(0, x));
const colour = (random: Random): Colour => [random.uniform(), random.uniform(), random.uniform()];
const blend = (a: Colour, b: Colour, share: number): Colour => [
  a[0] + share * (b[0] - a[0]),
  a[1] + share * (b[1] - a[1]),
  a[2] + share * (b[2] - a[2]),
];

/** Distance from a line or from a point, in widths of the picture. */
function slope(random: Random): (x: number, y: number) => number {
  const [cx, cy, angle] = [random.uniform(), random.uniform(), 2 * Math.PI * random.uniform()];
  if (random.uniform() < 0.3) return (x, y) => Math.hypot(x - cx, y - cy);
  return (x, y) => (x - cx) * Math.cos(angle) + (y - cy) * Math.sin(angle);
}

/** Smooth noise in [0, 1]: random values on a grid of `cells`, with a smooth step between them. */
function cloud(random: Random, cells: number): (x: number, y: number) => number {
  const width = cells + 2;
  const grid = Float64Array.from({ length: width * width }, () => random.uniform());
  return (x, y) => {
    const [gx, gy] = [x * cells, y * cells];
    const [column, row] = [Math.floor(gx), Math.floor(gy)];
    const [sx, sy] = [smooth(gx - column), smooth(gy - row)];
    const at = (c: number, r: number) => grid[r * width + c];
    const top = at(column, row) + sx * (at(column + 1, row) - at(column, row));
    const bottom = at(column, row + 1) + sx * (at(column + 1, row + 1) - at(column, row + 1));
    return top + sy * (bottom - top);
  };
}

const smooth = (t: number) => t * t * (3 - 2 * t);
