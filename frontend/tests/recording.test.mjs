// Saved files: frames forwards and backwards, and what is answered from them.
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { test } from "node:test";
import { later, load } from "./helpers.mjs";

const { patched, Tape } = await load("src/hosts/recording.ts");
const { replay, recordingIn } = await load("src/hosts/file.ts");

const position = (step, loss) => ({ step, steps: 6, epoch: Math.floor(step / 2), epochs: 3, steps_per_epoch: 2, stage: null, operation: null, playing: 0, training: false, first: 0, branches: [], branch: null, loss });
const LOSSES = [9, 5, 6, 4, 3, 2, 1];
const answer = (step) => ({ selection: { key: "w[0]", value: step }, derivation: { value: step } });
const recording = () => ({
  version: 1,
  parts: { meta: { commands: [], panels: [], palette: {} }, position: position(0, 9), drawing: { shapes: [{ text: "0" }, { text: "same", "a/b": { "~": 1 } }], list: [1] } },
  positions: LOSSES.map((loss, i) => position(i, loss)),
  patches: {
    drawing: LOSSES.slice(1).map((_, i) => ({ "/drawing/shapes/0/text": String(i + 1), "/drawing/shapes/1/a~1b/~0": i, ...(i === 2 ? { "/drawing/list": [1, 2] } : {}) })),
  },
  answers: { "w[0]": { factors: { 0: answer(0), 3: answer(3) } } },
});

test("a patch and the one back restore the very frame", () => {
  const { parts, patches } = recording();
  const before = structuredClone(parts);
  const { frame, back } = patched(parts, patches.drawing[2]);
  assert.deepEqual(parts, before);
  assert.equal(frame.drawing.shapes[0].text, "3");
  assert.equal(frame.meta, parts.meta);
  assert.deepEqual(patched(frame, back).frame, before);
});

test("forward n, back n, forward n shows identical frames", () => {
  const tape = new Tape(recording());
  const forward = [];
  for (let at = 0; at <= 6; at++) (tape.to(at), forward.push(structuredClone(tape.frame)));
  for (let at = 6; at >= 0; at--) (tape.to(at), assert.deepEqual(tape.frame, forward[at]));
  tape.to(6);
  assert.deepEqual(tape.frame, forward[6]);
  tape.to(99);
  assert.equal(tape.at, 6);
});

async function played() {
  const model = replay(recording());
  const answers = [];
  const changed = [];
  model.on("msg:custom", (message) => answers.push(message));
  for (const part of ["drawing", "position", "selection", "meta"]) model.on(`change:${part}`, () => changed.push(part));
  let id = 0;
  const tell = async (name, args = {}) => {
    model.send({ id: ++id, do: name, ...args });
    await later();
    return answers.find((one) => one.id === id);
  };
  return { model, tell, changed };
}

test("moves, by steps and epochs, and jumps", async () => {
  const { model, tell, changed } = await played();
  const step = () => model.get("position").step;
  await tell("move", { grain: "step", by: 3 });
  assert.equal(step(), 3);
  assert.equal(model.get("drawing").shapes[0].text, "3");
  assert.deepEqual(new Set(changed), new Set(["drawing", "position"]));
  await tell("move", { grain: "epoch", by: 1 });
  assert.equal(step(), 4);
  await tell("move", { grain: "step", by: -4 });
  assert.equal(step(), 0);
  await tell("go", { step: 5, stage: null, operation: null });
  assert.equal(step(), 5);
  assert.match((await tell("jump", { to: "loss rose" })).ok, /does not rise/);
  assert.equal(step(), 5);
  await tell("jump", { to: "start" });
  await tell("jump", { to: "loss rose" });
  assert.equal(step(), 2);
  assert.match((await tell("jump", { to: "unit died" })).error, /saved page/);
  await tell("jump", { to: "end" });
  assert.equal(step(), 6);
});

test("selections are answered where they were recorded, else it is told", async () => {
  const { model, tell } = await played();
  await tell("select", { key: "w[0]", depth: "factors" });
  assert.equal(model.get("derivation").value, 0);
  await tell("go", { step: 3 });
  assert.equal(model.get("derivation").value, 3);
  await tell("move", { grain: "step", by: 1 });
  assert.equal(model.get("derivation"), undefined);
  assert.match(model.get("notice").text, /steps 0, 3/);
  assert.match((await tell("select", { key: "b[0]" })).error, /saved page/);
  assert.match((await tell("set", { key: "w[0]", value: 1 })).error, /saved page/);
});

test("operations of a step are gone through, and steps pass over them", async () => {
  const within = (operation, stage) => ({ ...position(1, 5), operation, stage });
  const { parts, positions, patches, answers } = recording();
  const [first, ...later_] = positions;
  const inside = [within(0, "forward"), within(1, "loss"), within(2, "backward")];
  const model = replay({ version: 1, parts, answers, positions: [first, ...inside, ...later_], patches: { drawing: [{}, {}, {}, ...patches.drawing] } });
  const at = () => [model.get("position").step, model.get("position").operation];
  const tell = async (name, args) => (model.send({ id: 1, do: name, ...args }), await later(), at());
  assert.deepEqual(await tell("move", { grain: "step", by: 1 }), [1, null]);
  assert.deepEqual(await tell("move", { grain: "operation", by: -1 }), [1, 2]);
  assert.deepEqual(await tell("move", { grain: "stage", by: -1 }), [1, 1]);
  assert.deepEqual(await tell("go", { step: 1, stage: "start" }), [1, 0]);
  assert.deepEqual(await tell("move", { grain: "step", by: -1 }), [0, null]);
  assert.deepEqual(await tell("go", { step: 1, stage: "forward" }), [1, 1]);
  assert.deepEqual(await tell("go", { step: 1, stage: "backward" }), [1, null]);
  assert.deepEqual(await tell("move", { grain: "step", by: 1 }), [2, null]);
});

test("it plays to the end and stops", async () => {
  const { model, tell } = await played();
  await tell("play", { grain: "step", speed: 200 });
  assert.equal(model.get("position").playing, 1);
  await later(150);
  assert.equal(model.get("position").step, 6);
  assert.equal(model.get("position").playing, 0);
});

test("a recording is read as JSON, and as gzip in base64", async () => {
  const el = document.createElement("main");
  for (const text of [JSON.stringify(recording()), gzipSync(JSON.stringify(recording())).toString("base64")]) {
    const script = document.createElement("script");
    script.type = "application/json";
    script.textContent = `\n${text}\n`;
    el.replaceChildren(script);
    assert.deepEqual(await recordingIn(el), recording());
  }
});
