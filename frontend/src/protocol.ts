/** What Python and the browser say to each other, as types; PROTOCOL.md beside Python's half says what it means. */

export type Key = string;
export type Grain = "operation" | "stage" | "step" | "epoch";
export type Depth = "layers" | "factors" | "terms";
/** A number as JSON can hold it: "NaN", "Infinity" or "-Infinity" where it is not finite. */
export type Num = number | "NaN" | "Infinity" | "-Infinity";
export type Box = [x: number, y: number, width: number, height: number];

export interface Meta {
  version: number;
  kind: "network" | "value" | "function";
  title: string;
  commands: string[];
  panels: string[];
  palette: Record<string, string>;
  /** The colours of heat maps by depth, from −8 to 8; 127 for NaN. */
  shades: Record<string, string>;
  saved: boolean;
}

export interface Painted {
  box: Box;
  fill?: string | null;
  stroke?: string | null;
  thickness?: number;
}
export interface Cells {
  /** The key of a cell, with {} where its row and column come, or with a width where the one number of both comes. */
  key: string;
  rows: number[];
  columns: number[];
  width?: number | null;
}
export interface Text {
  shape: "text";
  x: number;
  y: number;
  text: string;
  size: number;
  colour?: string;
  anchor?: "start" | "middle" | "end";
  bold?: boolean;
  key?: Key | null;
  value?: Num | null;
}
export interface Curve {
  shape: "curve";
  points: [number, number][];
  colour: string;
  thickness?: number;
  dashed?: boolean;
  key?: Key | null;
}
export interface HeatMap {
  shape: "heatmap";
  box: Box;
  rows: number;
  columns: number;
  /** Base64 of a signed byte for each cell. */
  depths: string;
  cells?: Cells | null;
}
export interface Group {
  shape: "group";
  x?: number;
  y?: number;
  width: number;
  height: number;
  name?: string;
  tip?: string;
  key?: Key | null;
  /** The layer that this block can be unfolded to; or whether it can be folded again. */
  unfold?: string | null;
  fold?: boolean;
  shapes: Shape[];
}
export type Shape =
  | (Painted & { shape: "rectangle"; radius?: number; key?: Key | null })
  | (Painted & { shape: "ellipse"; key?: Key | null })
  | { shape: "polygon"; points: [number, number][]; fill: string; key?: Key | null }
  | Curve
  | Text
  | HeatMap
  | Group;

export interface Scene {
  version: number;
  kind: "drawing";
  width: number;
  height: number;
  title: string;
  description: string;
  shapes: Shape[];
}

/** Where in its training a network is; what there is only within one is missing before the first. */
export interface Position {
  step: number;
  first: number;
  steps: number;
  epoch: number;
  epochs: number;
  steps_per_epoch?: number;
  stage?: null | "forward" | "loss" | "backward";
  operation?: number | null;
  operations?: number;
  /** The operation that was carried out last, in words. */
  says?: string;
  /** 1 or −1 while it plays forwards or backwards. */
  playing: -1 | 0 | 1;
  /** Whether a training is under way. */
  training: boolean;
  grain: Grain;
  speed: number;
  loss: Num;
  loss_text: string;
  branches: { name: string; from: number; settings: string }[];
  branch?: number | null;
  learning_rate?: number | null;
}

export interface Curves {
  series: { name: string; kind: "training" | "validation" | "branch"; points: [number, Num][] }[];
  x: string;
  y: string;
}

export interface Selection {
  key: Key;
  name: string;
  /** Missing where it is hidden from a learner. */
  value?: Num;
  text: string;
  gradient: Num | null;
  gradient_key: Key;
  gradient_text: string;
  changeable: boolean;
  depth: Depth;
  /** Whether finite differences stand beside the gradients. */
  check: boolean;
}

export interface Formula {
  mathml: string;
}
export interface Shown {
  key?: Key;
  value: Num | null;
}
export interface Check {
  nudged: string;
  value: Num;
  error: string;
  agrees: boolean;
}
export interface Statement {
  left?: (Formula & Shown) | null;
  places?: string;
  definition?: Formula | null;
  rights: (Formula & { kind: "formula" | "numbers" | "values" })[];
  result?: (Formula & Shown & { text: string }) | null;
  rules?: string;
  check?: Check | null;
  instances?: Statement[];
  more?: string;
}
export type Derivation =
  | { version: number; kind: "none"; says: string }
  | { version: number; kind: "derivation"; value: Num | null; whole: Statement; lines: Statement[]; notes: string[] };

export interface Contributions {
  value: Num;
  splits: {
    by: "output" | "sample" | "path";
    parts: { name: string; value: Num; text: string; share: Num | null; keys?: Key[] }[];
  }[];
}

export interface Change {
  key: Key;
  before: Num;
  after: Num;
  predicted: Num;
  true: Num;
  predicted_text: string;
  true_text: string;
  sentence: string;
}

export interface Setting {
  name: string;
  label: string;
  value: number;
  minimum: number;
  maximum: number;
  scale: "log" | "linear";
}
export interface Settings {
  settings: Setting[];
  optimizer: string;
  /** The names of optimizers, and which of them it is; null for one of the user's own. */
  optimizers?: string[];
  optimizer_name?: string | null;
  loss: string;
  rows: number[];
  row_count: number;
  batch: number[];
  /** Whether the rows shown are those of each step's mini-batch. */
  follows_batch?: boolean;
}

/** Numbers over a rectangle, row by row from the top left, as base64 of float32. */
export interface Grid {
  columns: number;
  rows: number;
  /** Base64 of float32, or where there is a unit of bytes: (first + byte + ½) · unit. */
  values: string;
  least: number;
  greatest: number;
  unit?: number;
  first?: number;
}
export interface Point {
  row: number;
  x: number;
  y: number;
  /** The number of its class, or its value. */
  target: number;
  /** False where training does not see it. */
  training?: boolean;
  chosen: boolean;
}
export interface Data {
  x: string;
  y: string;
  kind: "classes" | "values";
  points: Point[];
  extent: [x0: number, x1: number, y0: number, y1: number];
  classes: string[];
  surface: Grid | null;
  neurons: { key: Key; name: string; surface: Grid }[];
  /** Of values the least and the greatest target, or two beside the only one. */
  ends?: [number, number];
  sets: string[];
}

export interface Told {
  name: string;
  value: Num;
  text: string;
  key?: Key;
}
export interface Doctor {
  healthy: boolean;
  says: string;
  findings: {
    kind: string;
    title: string;
    sentence: string;
    evidence: Told[];
    names: Key[];
    advice: string[];
    mild?: boolean;
  }[];
  layers: { name: string; numbers: Told[] }[];
}

/** A learner's gradients beside the right ones. */
export interface Comparison {
  is_right: boolean;
  text: string;
  differences: { kind: string; names: Key[]; says: string; remedy: string }[];
  gradients: { name: Key; is_right: boolean; place: number[] | null; mine: Num | null; right: Num | null }[];
}

export interface Histograms {
  groups: {
    name: string;
    what: "weights" | "gradients" | "activations";
    /** The least and the greatest; between them are parts that are evenly wide. */
    ends: [number, number];
    counts: number[];
    text: string;
  }[];
}

export interface Surface extends Grid {
  x: string;
  y: string;
  extent: [a0: number, a1: number, b0: number, b1: number];
  paths: { name: string; points: [number, number, number][] }[];
  /** Along the way of the training, or by the gradient. */
  kind?: "path" | "gradient";
  here: [number, number];
  /** The way downhill from here. */
  gradient: [number, number] | null;
}

/** The plane of two inputs as every hidden layer sees it: x and y of points in the order of the data's, then of lines, as rows. */
export interface Warp {
  layers: (Grid & { name: string; x: string; y: string; points: number; lines: number })[];
}

/** How the numbers of one array are spread at moments of the training. */
export interface Spread {
  name: string;
  names: string[];
  steps: number[];
  edges: number[];
  counts: number[][];
  at: number;
}

export interface Lesson {
  title: string;
  steps: { title: string; text: string }[];
  at: number;
  question: null | { id: number; text: string; key: Key | null };
  verdict: null | { right: boolean; text: string };
}

export interface Notice {
  kind: "error" | "note";
  text: string;
  id: number;
}

export interface Parts {
  meta: Meta;
  drawing: Scene;
  position: Position;
  curves: Curves;
  selection: Selection;
  derivation: Derivation;
  contributions: Contributions;
  change: Change;
  settings: Settings;
  data: Data;
  doctor: Doctor;
  comparison: Comparison;
  histograms: Histograms;
  surface: Surface;
  warp: Warp;
  spread: Spread;
  lesson: Lesson;
  notice: Notice;
}
export type PartName = keyof Parts;

export const PARTS: readonly PartName[] = [
  "meta",
  "drawing",
  "position",
  "curves",
  "selection",
  "derivation",
  "contributions",
  "change",
  "settings",
  "data",
  "doctor",
  "comparison",
  "histograms",
  "surface",
  "warp",
  "spread",
  "lesson",
  "notice",
];

export type Arguments = Record<string, unknown>;
export interface Command extends Arguments {
  id: number;
  do: string;
}
export type Answer = { id: number; ok: unknown } | { id: number; error: string };

/** What a host gives: anywidget's model, of which no more is used. */
export interface Model {
  get(part: string): unknown;
  on(event: string, listener: (message: unknown) => void): void;
  off(event: string, listener: (message: unknown) => void): void;
  send(content: unknown): void;
}

const isLetter = (place: string) => !/^\d+$/.test(place);

/** The number to be selected: of a gradient the one it is by, `w[0]` of `∂L/∂w[0]`; of a key with letters the first that it stands for. */
export function numberOf(key: Key): Key {
  const own = key.replace(/^∂[^/]*\/∂/, "");
  return own.replace(/\[([^[\]]+)\]$/, (_, places: string) => `[${places.split(", ").map((x) => (isLetter(x) ? "0" : x)).join(", ")}]`);
}

/** Whether a key stands for another: for itself, with letters for all places, as an array or a layer for all that is in it. */
export function standsFor(key: Key): (own: Key) => boolean {
  const found = /^(.*)\[([^[\]]+)\]$/.exec(key);
  if (!found) return (own) => own === key || own.startsWith(`${key}[`) || own.startsWith(`${key}.`);
  const [, array, inside] = found;
  const places = inside.split(", ");
  if (!places.some(isLetter)) return (own) => own === key;
  return (own) => {
    if (!own.startsWith(`${array}[`)) return false;
    const theirs = own.slice(array.length + 1, -1).split(", ");
    return theirs.length === places.length && places.every((place, i) => isLetter(place) || place === theirs[i]);
  };
}
