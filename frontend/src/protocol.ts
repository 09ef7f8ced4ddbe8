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
  saved: boolean;
}

export interface Painted {
  box: Box;
  fill?: string | null;
  stroke?: string | null;
  thickness?: number;
}
export interface Cells {
  variable: string;
  rows: number[];
  columns: number[];
  transposed?: boolean;
  axes?: 1 | 2;
}
export interface Text {
  shape: "text";
  x: number;
  y: number;
  text: string;
  size: number;
  colour: string;
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
  colours: string[][];
  cells?: Cells | null;
  key?: Key | null;
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

export interface Position {
  step: number;
  steps: number;
  epoch: number;
  epochs: number;
  steps_per_epoch: number;
  stage: null | "forward" | "loss" | "backward" | "update";
  operation: number | null;
  operations: number;
  playing: boolean;
  grain: Grain;
  speed: number;
  loss: Num;
  loss_text: string;
  branches: { name: string; from: number; settings: string }[];
  branch: number | null;
  learning_rate: number | null;
}

export interface Curves {
  series: { name: string; kind: "training" | "validation" | "branch"; points: [number, Num][] }[];
  x: string;
  y: string;
}

export interface Selection {
  key: Key;
  name: string;
  value: Num;
  text: string;
  gradient: Num | null;
  gradient_text: string;
  changeable: boolean;
  depth: Depth;
}

export interface Formula {
  mathml: string;
}
export interface Check {
  nudged: Num;
  nudged_text?: string;
  error: Num;
  error_text?: string;
  agrees: boolean;
}
export interface Statement {
  heading?: boolean;
  left?: (Formula & { key?: Key | null }) | null;
  places?: string;
  rights: (Formula & { more?: number })[];
  result?: (Formula & { value: Num }) | null;
  rules?: string[];
  instances?: Statement[];
  more?: number;
  definition?: Formula | null;
  check?: Check | null;
}
export interface Derivation {
  version: number;
  kind: "derivation";
  gradient: Key;
  value: Num | null;
  statements: Statement[];
  notes?: string[];
}

export interface Contributions {
  key: Key;
  gradient: Num;
  splits: {
    by: "output" | "sample" | "path";
    parts: { name: string; value: Num; text: string; share: Num; keys?: Key[] }[];
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
  loss: string;
  rows: number[];
  row_count: number;
  batch: number[];
}

/** Numbers over a rectangle, row by row from the top left, as base64 of float32. */
export interface Grid {
  columns: number;
  rows: number;
  values: string;
  least: number;
  greatest: number;
}
export interface Point {
  row: number;
  x: number;
  y: number;
  target: number | string;
  colour: number;
  training: boolean;
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
  findings: { kind: string; title: string; sentence: string; evidence: Told[]; names: Key[]; advice: string[] }[];
  layers: { name: string; numbers: Told[] }[];
}

export interface Histograms {
  groups: {
    name: string;
    what: "weights" | "gradients" | "activations";
    edges: number[];
    counts: number[];
    text: string;
  }[];
}

export interface Surface extends Grid {
  x: string;
  y: string;
  extent: [a0: number, a1: number, b0: number, b1: number];
  paths: { name: string; points: [number, number, number][] }[];
  gradient: [number, number] | null;
}

export interface Lesson {
  title: string;
  steps: { title: string; text: string }[];
  at: number;
  question: null | { id: string; text: string; key: Key | null };
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
  histograms: Histograms;
  surface: Surface;
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
  "histograms",
  "surface",
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

/** The number whose gradient is meant, of a number or of its gradient: `w[0]` of `∂L/∂w[0]`. */
export function numberOf(key: Key): Key {
  return key.replace(/^∂[^/]*\/∂/, "");
}
