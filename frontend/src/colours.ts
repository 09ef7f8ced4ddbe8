/** Colours that numbers are painted in; told apart with every kind of colour vision (Okabe and Ito's palette). */
import type { Grid } from "./protocol";

export type Rgb = readonly [number, number, number];

/** Classes; their glyphs differ as well. */
const CLASSES: readonly Rgb[] = [
  [213, 94, 0],
  [0, 114, 178],
  [0, 158, 115],
  [204, 121, 167],
  [230, 159, 0],
  [86, 180, 233],
  [136, 110, 80],
  [120, 120, 120],
];
const NEGATIVE: Rgb = [213, 94, 0];
const POSITIVE: Rgb = [0, 114, 178];
const DEEP: Rgb = [22, 48, 82];
const LIGHT: Rgb = [240, 226, 180];

export const css = ([r, g, b]: Rgb, alpha = 1) => `rgb(${r} ${g} ${b} / ${alpha})`;

/** The colour of points of a class, which stand on a paler one. */
export const classColour = (i: number, dark: boolean) =>
  css(between(CLASSES[i % CLASSES.length], [255, 255, 255], dark ? 0.4 : 0));

const paper = (dark: boolean): Rgb => (dark ? [22, 27, 34] : [255, 255, 255]);
const between = (a: Rgb, b: Rgb, t: number): Rgb => [0, 1, 2].map((i) => Math.round(a[i] + (b[i] - a[i]) * t)) as unknown as Rgb;

export function rgbOf(hex: string): Rgb {
  const found = /^#(..)(..)(..)$/.exec(hex);
  return (found ?? []).slice(1).map((x) => parseInt(x, 16)) as unknown as Rgb;
}

/** A colour that is laid on white paper, as it looks when as much of it is laid on dark paper. */
export function onDark(hex: string): Rgb {
  const colour = rgbOf(hex);
  const share = 1 - Math.min(...colour) / 255;
  if (share < 0.01) return paper(true);
  const pure = colour.map((c) => (c - 255 * (1 - share)) / share) as unknown as Rgb;
  return between(paper(true), between(pure, [255, 255, 255], 0.3), share);
}

/** How numbers from `low` to `high` are painted. */
export interface Paint {
  low: number;
  high: number;
  colour(x: number): Rgb;
}

const BANDS = 12;
const banded = (t: number) => Math.min(1, Math.max(0, (Math.floor(t * BANDS) + 0.5) / BANDS));

/** Numbers: orange below the middle, blue above, paper there; where all lie on one side, from pale at the nearest on. */
export function signed({ least, greatest }: Grid, dark: boolean, middle = 0): Paint {
  const [low, high] = [least - middle, greatest - middle];
  const [smallest, size] = [Math.max(0, low, -high), Math.max(-low, high) || 1];
  const pale = smallest > 0 ? 0.15 : 0;
  const depth = (x: number) => pale + (0.85 - pale) * banded((Math.abs(x) - smallest) / (size - smallest || 1));
  const colour = (x: number) => between(paper(dark), x < middle ? NEGATIVE : POSITIVE, depth(x - middle));
  return { low: least, high: greatest, colour };
}

/** Two classes by the probability of the second. */
export function probability(dark: boolean): Paint {
  const sure = (p: number) => 0.08 + 0.42 * banded(Math.abs(2 * p - 1));
  return { low: 0, high: 1, colour: (p) => between(paper(dark), p < 0.5 ? CLASSES[0] : CLASSES[1], sure(p)) };
}

/** So many classes: the whole part is the class, the rest how sure that is. */
export function classes(count: number, dark: boolean): Paint {
  const colour = (x: number) => between(paper(dark), CLASSES[Math.floor(x) % CLASSES.length], 0.1 + 0.42 * banded(x % 1));
  return { low: 0, high: count, colour };
}

/** Heights of a landscape, low ones deep. */
export function heights(grid: Grid, dark: boolean): Paint {
  const width = grid.greatest - grid.least || 1;
  const ends: [Rgb, Rgb] = dark ? [[70, 140, 200], [30, 36, 44]] : [DEEP, LIGHT];
  const colour = (x: number) => between(...ends, Math.sqrt(banded((x - grid.least) / width)));
  return { low: grid.least, high: grid.greatest, colour };
}

export function bytes(base64: string): ArrayBuffer {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer;
}

/** The numbers of a grid: floats, or in a saved file bytes, of which each stands for what lies between two multiples of a unit. */
export function numbersOf({ values, unit, first = 0 }: Grid): Float32Array {
  const raw = bytes(values);
  return unit ? Float32Array.from(new Uint8Array(raw), (level) => (first + level + 0.5) * unit) : new Float32Array(raw);
}

const LEVELS = 1200; // of colours that are worked out once for a picture; a multiple of the bands
const NO_NUMBER = 0xff999999;

/** The colours of a paint from low to high, each as the four bytes of a pixel. */
function levels(paint: Paint): Uint32Array {
  return Uint32Array.from({ length: LEVELS }, (_, i) => {
    const [r, g, b] = paint.colour(paint.low + ((i + 0.5) / LEVELS) * (paint.high - paint.low));
    return 0xff000000 | (b << 16) | (g << 8) | r;
  });
}

/** The grid's numbers as pixels, in between by interpolation where they are `smooth`. */
export function painted(grid: Grid, paint: Paint, width: number, height: number, smooth = true): ImageData {
  const { columns, rows } = grid;
  const values = numbersOf(grid);
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const colours = levels(paint);
  const scale = LEVELS / (paint.high - paint.low || 1);
  const places = (length: number, count: number) =>
    Float64Array.from({ length }, (_, i) => Math.min(count - 1, Math.max(0, ((i + 0.5) / length) * count - 0.5)));
  const [across, down] = [places(width, columns), places(height, rows)];
  for (let y = 0, i = 0; y < height; y++) {
    const r = smooth ? Math.floor(down[y]) : Math.round(down[y]);
    const [top, bottom, v] = [r * columns, Math.min(rows - 1, r + 1) * columns, down[y] - r];
    for (let x = 0; x < width; x++, i++) {
      let value: number;
      if (smooth) {
        const c = Math.floor(across[x]);
        const next = Math.min(columns - 1, c + 1);
        const u = across[x] - c;
        const above = values[top + c] + (values[top + next] - values[top + c]) * u;
        const below = values[bottom + c] + (values[bottom + next] - values[bottom + c]) * u;
        value = above + (below - above) * v;
      } else value = values[top + Math.round(across[x])];
      const level = Math.min(LEVELS - 1, Math.max(0, Math.floor((value - paint.low) * scale)));
      pixels[i] = Number.isNaN(level) ? NO_NUMBER : colours[level];
    }
  }
  return image;
}
