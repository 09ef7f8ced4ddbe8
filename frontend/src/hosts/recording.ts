/** Recordings of saved files: a first frame, and for each later one what is other than in the frame before. */
import type { Depth, Key, PartName, Parts, Position } from "../protocol";

/** JSON pointers to what changed, with what is there now. */
export type Patch = Record<string, unknown>;
export type Frame = Partial<Parts>;

export interface Recording {
  version: 1;
  parts: Frame;
  /** Of every frame, the first too. */
  positions: (Position | null)[];
  /** By parts, what is other in each frame than in the one before; of the first there is none. */
  patches: Partial<Record<PartName, Patch[]>>;
  /** Parts that a selection gives, by its key, its depth and the number of the frame. */
  answers: Record<Key, Partial<Record<Depth, Record<string, Frame>>>>;
}

const steps = (pointer: string) =>
  pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

function replaced(value: unknown, path: string[], change: (old: unknown) => unknown): unknown {
  if (!path.length) return change(value);
  const [step, ...rest] = path;
  const copy: Record<string, unknown> = Array.isArray(value) ? ([...value] as never) : { ...(value as object) };
  copy[step] = replaced(copy[step], rest, change);
  return copy;
}

/** The frame after the patch, which shares with the one before what has not changed, and the patch that leads back. */
export function patched(frame: Frame, patch: Patch): { frame: Frame; back: Patch } {
  const back: Patch = {};
  for (const [pointer, value] of Object.entries(patch))
    frame = replaced(frame, steps(pointer), (old) => {
      back[pointer] = old ?? null;
      return value;
    }) as Frame;
  return { frame, back };
}

/** A place in a recording that can be moved, forwards by patches and backwards by what they replaced. */
export class Tape {
  at = 0;
  frame: Frame;
  readonly positions: readonly Position[];
  #backs: Patch[] = [];

  constructor(private readonly recording: Recording) {
    this.frame = recording.parts;
    this.positions = recording.positions.filter((position) => position !== null);
  }

  to(target: number): void {
    target = Math.min(this.recording.positions.length - 1, Math.max(0, target));
    while (this.at < target) {
      const patch = Object.assign({}, ...Object.values(this.recording.patches).map((patches) => patches[this.at]));
      const position = this.recording.positions[this.at + 1];
      const { frame, back } = patched(this.frame, position ? { ...patch, "/position": position } : patch);
      this.#backs[this.at++] = back;
      this.frame = frame;
    }
    while (this.at > target) this.frame = patched(this.frame, this.#backs[--this.at]).frame;
  }
}
