/** The model of a saved file: commands are answered from what was recorded. */
import type { Arguments, Command, Depth, Grain, Model, PartName, Position } from "../protocol";
import { T } from "../texts";
import { Events } from "./events";
import { Tape, type Frame, type Recording } from "./recording";

/** The recording in an element: a script of type application/json, whose text may be JSON, or gzip in base64. */
export async function recordingIn(el: HTMLElement): Promise<Recording> {
  const text = el.querySelector("script[type='application/json']")?.textContent?.trim() ?? "";
  if (text.startsWith("{")) return JSON.parse(text) as Recording;
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return (await new Response(plain).json()) as Recording;
}

export async function fileModel(el: HTMLElement): Promise<Model & { close(): void }> {
  return replay(await recordingIn(el));
}

const ORDER: Grain[] = ["epoch", "step", "stage", "operation"];

/** Whether a move of a grain ends at a moment: something as coarse differs, and of steps and epochs no operation is under way. */
function ends(from: Position, at: Position, grain: Grain): boolean {
  const coarse = grain === "step" || grain === "epoch";
  if (coarse && (at.operation ?? null) !== null) return false;
  return ORDER.slice(0, ORDER.indexOf(grain) + 1).some((one) => from[one] !== at[one]);
}

/** Where in a step each stage ends. */
const STAGES: Record<string, (at: Position) => boolean> = {
  start: (at) => at.operation === 0,
  forward: (at) => at.stage === "loss",
  backward: (at) => (at.operation ?? null) === null,
};

export function replay(recording: Recording): Model & { close(): void } {
  const events = new Events();
  const tape = new Tape(recording);
  const { positions } = tape;
  let parts: Frame = tape.frame;
  let chosen: { key: string; depth: Depth } | null = null;
  let clock: ReturnType<typeof setInterval> | undefined;

  function show(next: Frame): void {
    const before = parts;
    parts = next;
    for (const part of new Set([...Object.keys(before), ...Object.keys(next)] as PartName[]))
      if (before[part] !== next[part]) events.say(`change:${part}`);
  }

  /** The frame that the tape is at, with what was recorded there of the selected number. */
  function refresh(more: Frame = {}): void {
    show({ ...tape.frame, ...answer(), ...more });
  }

  function answer(): Frame {
    const depths = chosen && recording.answers[chosen.key];
    if (!chosen || !depths) return {};
    const frames = depths[chosen.depth] ?? Object.values(depths)[0] ?? {};
    const found = frames[tape.at];
    if (found) return found;
    const text = T.notRecorded(T.atSteps(Object.keys(frames).map((at) => positions[Number(at)].step)));
    return clock ? {} : { notice: { kind: "note", text, id: tape.at } };
  }

  function moved(grain: Grain, by: number): number {
    const direction = Math.sign(by);
    let at = tape.at;
    for (let left = Math.abs(by); left > 0; left--) {
      const from = positions[at];
      do at += direction;
      while (positions[at] && !ends(from, positions[at], grain));
    }
    return at;
  }

  function playing(by: -1 | 0 | 1): Frame {
    return tape.frame.position ? { position: { ...tape.frame.position, playing: by } } : {};
  }

  function stop(): void {
    clearInterval(clock);
    clock = undefined;
  }

  const commands: Record<string, (args: Arguments) => unknown> = {
    hello: () => refresh(),
    panel: () => {},
    select({ key, depth }) {
      if (key && !recording.answers[key as string]) throw new Error(T.onlyLive);
      chosen = key ? { key: key as string, depth: (depth as Depth) ?? chosen?.depth ?? "factors" } : null;
      refresh(chosen ? {} : { selection: undefined, derivation: undefined, contributions: undefined });
    },
    depth({ depth }) {
      if (chosen) chosen.depth = depth as Depth;
      refresh();
    },
    go({ step, stage, operation }) {
      const isPlace = stage ? STAGES[stage as string] : (p: Position) => (p.operation ?? null) === (operation ?? null);
      const exact = positions.findIndex((p) => p.step === step && isPlace(p));
      const later = positions.findIndex((p) => p.step >= (step as number) && (p.operation ?? null) === null);
      tape.to(exact >= 0 ? exact : later >= 0 ? later : positions.length - 1);
      refresh();
    },
    move({ grain, by }) {
      tape.to(moved(grain as Grain, by as number));
      refresh();
    },
    jump({ to }) {
      const rose = positions.findIndex((p, i) => i > tape.at && p.loss > positions[i - 1].loss);
      const places: Record<string, number> = { start: 0, end: positions.length - 1, "loss rose": rose };
      if (!((to as string) in places)) throw new Error(T.onlyLive);
      if (places[to as string] < 0) return T.noMore;
      tape.to(places[to as string]);
      refresh();
      return "";
    },
    play({ grain, speed, by }) {
      const way = by === -1 ? -1 : 1;
      stop();
      clock = setInterval(() => {
        const before = tape.at;
        tape.to(moved(grain as Grain, way));
        if (tape.at === before) stop();
        refresh(playing(clock ? way : 0));
      }, 1000 / (speed as number));
      refresh(playing(way));
    },
    pause() {
      stop();
      refresh();
    },
  };

  return {
    get: (part) => parts[part as PartName],
    on: (event, listener) => events.on(event, listener),
    off: (event, listener) => events.off(event, listener),
    send(content) {
      const { id, do: name, ...args } = content as Command;
      queueMicrotask(() => {
        try {
          if (!commands[name]) throw new Error(T.onlyLive);
          events.say("msg:custom", { id, ok: commands[name](args) ?? null });
        } catch (error) {
          events.say("msg:custom", { id, error: (error as Error).message });
        }
      });
    },
    close: stop,
  };
}
