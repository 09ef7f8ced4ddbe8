// Parts as stores; commands and their answers; what is dragged.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeModel, later, load } from "./helpers.mjs";

const { connect } = await load("src/model.ts");
const read = (store) => {
  let value;
  store.subscribe((now) => (value = now))();
  return value;
};

test("parts follow the model, and one that is missing is null", () => {
  const model = new FakeModel({ meta: { title: "one" } });
  const view = connect(model);
  assert.equal(read(view.parts.meta).title, "one");
  assert.equal(read(view.parts.drawing), null);
  model.set("meta", { title: "two" });
  assert.equal(read(view.parts.meta).title, "two");
});

test("answers are matched with commands by their ids, in whatever order they come", async () => {
  const model = new FakeModel({}, false);
  const view = connect(model);
  const [first, second] = [view.tell("move", { by: 1 }), view.tell("move", { by: 2 })];
  assert.equal(read(view.waiting), true);
  assert.notEqual(model.sent[0].id, model.sent[1].id);
  model.answer({ id: -5, ok: "another view's" });
  model.answer({ id: model.sent[1].id, ok: "b" });
  model.answer({ id: model.sent[0].id, ok: "a" });
  assert.deepEqual(await Promise.all([first, second]), ["a", "b"]);
  assert.equal(read(view.waiting), false);
});

test("refusals and findings are told in Python's words", async () => {
  const model = new FakeModel({}, false);
  const view = connect(model);
  const answer = view.tell("rows", { rows: [9] });
  model.answer({ id: model.sent[0].id, error: "there is no row 9" });
  assert.equal(await answer, undefined);
  assert.deepEqual([read(view.reply).kind, read(view.reply).text], ["error", "there is no row 9"]);
  void view.tell("jump", { to: "loss rose" });
  model.answer({ id: model.sent[1].id, ok: "Step 7: it rose." });
  await later();
  assert.deepEqual([read(view.reply).kind, read(view.reply).text], ["note", "Step 7: it rose."]);
  void view.tell("move", { grain: "step", by: 1 });
  model.answer({ id: model.sent[2].id, ok: true });
  await later();
  assert.equal(read(view.reply), null);
});

test("of what is dragged one command is under way, and behind it the last is sent", async () => {
  const model = new FakeModel({}, false);
  const view = connect(model);
  for (let value = 0; value < 50; value++) void view.drag("set", { key: "w[0]", value, final: false });
  void view.drag("set", { key: "w[0]", value: 50, final: true });
  assert.deepEqual(model.sent.map((c) => c.value), [0]);
  model.answer({ id: model.sent[0].id, ok: null });
  await later();
  assert.deepEqual(model.sent.map((c) => c.value), [0, 50]);
  assert.equal(model.sent[1].final, true);
  model.answer({ id: model.sent[1].id, error: "no" });
  await later();
  void view.drag("set", { key: "w[0]", value: 7, final: true });
  assert.equal(model.sent[2].value, 7);
});

test("a closed view listens to nothing", () => {
  const model = new FakeModel();
  connect(model).close();
  assert.equal(model.listeners.length, 0);
});
