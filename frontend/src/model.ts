/** The view's state as stores, one for each part, and commands that are matched with their answers. */
import { readable, writable, type Readable, type Writable } from "svelte/store";
import { PARTS, type Answer, type Arguments, type Key, type Model, type Notice, type PartName, type Parts } from "./protocol";

type Stores = { [P in PartName]: Readable<Parts[P] | null> };

export interface View {
  parts: Stores;
  /** Keys that are lit up wherever they stand. */
  lit: Writable<readonly Key[]>;
  /** Whether an answer is waited for. */
  waiting: Readable<boolean>;
  /** What the last command was answered in words, if it was: a refusal, or what was found. */
  reply: Readable<Notice | null>;
  /** Sends a command; what it is answered, or undefined where it was refused. */
  tell(name: string, args?: Arguments): Promise<unknown>;
  /** The same for what changes while it is dragged: one is under way, and of those behind it only the last is sent. Done when all is. */
  drag(name: string, args: Arguments): Promise<void>;
  close(): void;
}

/** Answers go to all views of a model, so that ids start where no other view's are likely to. */
let last = Math.floor(Math.random() * 2 ** 40);

export function connect(model: Model): View {
  const stops: (() => void)[] = [];
  const waiting = writable(false);
  const reply = writable<Notice | null>(null);
  const asked = new Map<number, (answer: Answer) => void>();
  const dragged = new Map<string, { next: Arguments | null; done: Promise<void> }>();

  function listen(event: string, listener: (message: unknown) => void): void {
    model.on(event, listener);
    stops.push(() => model.off(event, listener));
  }

  function store<P extends PartName>(part: P): Readable<Parts[P] | null> {
    const read = () => (model.get(part) ?? null) as Parts[P] | null;
    const { subscribe, set } = writable(read());
    listen(`change:${part}`, () => set(read()));
    return { subscribe };
  }

  listen("msg:custom", (message) => {
    const answer = message as Answer;
    asked.get(answer?.id)?.(answer);
  });

  async function tell(name: string, args: Arguments = {}): Promise<unknown> {
    const id = ++last;
    const answer = await new Promise<Answer>((resolve) => {
      asked.set(id, resolve);
      waiting.set(true);
      model.send({ ...args, id, do: name });
    });
    asked.delete(id);
    waiting.set(asked.size > 0);
    if ("error" in answer) reply.set({ kind: "error", text: answer.error, id });
    else reply.set(typeof answer.ok === "string" && answer.ok ? { kind: "note", text: answer.ok, id } : null);
    return "ok" in answer ? answer.ok : undefined;
  }

  function drag(name: string, args: Arguments): Promise<void> {
    const under = dragged.get(name);
    if (under) {
      under.next = args;
      return under.done;
    }
    const mine = { next: args as Arguments | null, done: Promise.resolve() };
    dragged.set(name, mine);
    mine.done = (async () => {
      while (mine.next) {
        const next = mine.next;
        mine.next = null;
        await tell(name, next);
      }
      dragged.delete(name);
    })();
    return mine.done;
  }

  return {
    parts: Object.fromEntries(PARTS.map((part) => [part, store(part)])) as unknown as Stores,
    lit: writable<readonly Key[]>([]),
    waiting: readable(false, (set) => waiting.subscribe(set)),
    reply: readable<Notice | null>(null, (set) => reply.subscribe(set)),
    tell,
    drag,
    close() {
      for (const stop of stops.splice(0)) stop();
      asked.clear();
    },
  };
}
