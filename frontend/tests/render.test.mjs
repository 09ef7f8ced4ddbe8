// The whole view on fake models: what it shows, what it sends, and that nothing of it stays.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { FakeModel, fixture, later, load } from "./helpers.mjs";

const { default: widget } = await load("src/index.ts");
const stops = [];

async function shown(parts, el = document.body) {
  const model = new FakeModel(parts);
  const stop = widget.render({ model, el });
  stops.push(stop);
  await later(20);
  return { model, stop, root: el.lastElementChild.shadowRoot };
}
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const press = (root, key, more = {}) =>
  root.querySelector(".view").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true, ...more }));
const numbersOf = (x) =>
  x && typeof x === "object" ? [...(x.shape === "text" && x.key ? [x] : []), ...Object.values(x).flatMap(numbersOf)] : [];

for (const name of ["mazur", "xor", "teaching", "mnist", "graph"])
  test(`${name}: every number of the drawing is there with its key and full value`, async () => {
    const parts = await fixture(name);
    const { root, model } = await shown(parts);
    assert.equal(model.sent[0].do, "hello");
    const texts = numbersOf(parts.drawing);
    const drawn = [...root.querySelectorAll("figure svg text[data-key]")];
    assert.deepEqual(
      drawn.map((one) => [one.dataset.key, one.dataset.value, one.textContent]),
      texts.map((one) => [one.key, one.value === undefined ? undefined : String(one.value), one.text]),
    );
    assert.equal(root.querySelector("h1").textContent, parts.meta.title);
  });

test("a view of no parts waits, and unknown parts are of no account", async () => {
  const { root, model } = await shown({ tomorrow: { anything: 1 } });
  assert.match(root.textContent, /Waiting for Python/);
  model.set("tomorrow", 2);
  model.set("drawing", (await fixture("mazur")).drawing);
  await later(20);
  assert.ok(root.querySelector("svg text[data-key]"));
});

test("two views of one model both follow it, and what is taken away listens to nothing", async () => {
  const model = new FakeModel(await fixture("mazur"));
  const [a, b] = [document.createElement("div"), document.createElement("div")];
  document.body.append(a, b);
  const stopsOfTwo = [a, b].map((el) => widget.render({ model, el }));
  await later(20);
  const each = model.listeners.length / 2;
  model.set("meta", { ...model.parts.meta, title: "another" });
  await later(20);
  for (const el of [a, b]) assert.equal(el.firstElementChild.shadowRoot.querySelector("h1").textContent, "another");
  assert.equal(new Set(model.sent.map((command) => command.id)).size, model.sent.length);
  stopsOfTwo[0]();
  assert.equal(model.listeners.length, each);
  assert.equal(a.children.length, 0);
  stopsOfTwo[1]();
  assert.equal(model.listeners.length, 0);
  const count = model.sent.length;
  a.dispatchEvent(new KeyboardEvent("keydown", { key: " " }));
  assert.equal(model.sent.length, count);
});

test("a click on a number selects it, one on its gradient too", async () => {
  const { root, model } = await shown(await fixture("mazur"));
  for (const key of ["output.weight[0, 0]", "∂L/∂output.weight[0, 0]"]) {
    root.querySelector(`text[data-key="${CSS.escape(key)}"]`).dispatchEvent(new MouseEvent("click", { bubbles: true, composed: true }));
    assert.equal(model.told("select").at(-1).key, "output.weight[0, 0]");
  }
});

test("pointing at a symbol lights up what has its key, a letter all that it stands for", async () => {
  const { root } = await shown(await fixture("mazur"));
  const point = async (key) => {
    root.querySelector(`math [data-key="${CSS.escape(key)}"]`).dispatchEvent(new MouseEvent("pointerover", { bubbles: true, composed: true }));
    await later(20);
    return new Set([...root.querySelectorAll("svg .lit")].map((one) => one.dataset.key));
  };
  assert.deepEqual(await point("hidden.a[0, 0]"), new Set(["hidden.a[0, 0]"]));
  assert.deepEqual(await point("output.a[0, k]"), new Set(["output.a[0, 0]", "output.a[0, 1]"]));
});

test("keys do what the help says", async () => {
  const { root, model } = await shown(await fixture("xor"));
  const sends = (key, expected, more) => {
    press(root, key, more);
    const { id, ...command } = model.sent.at(-1);
    assert.ok(id);
    assert.deepEqual(command, expected);
  };
  sends(" ", { do: "play", grain: "step", speed: 8, by: 1 });
  sends(" ", { do: "play", grain: "step", speed: 8, by: -1 }, { shiftKey: true });
  sends("ArrowRight", { do: "move", grain: "step", by: 1 });
  await later(5);
  sends("ArrowLeft", { do: "move", grain: "epoch", by: -1 }, { shiftKey: true });
  sends("Home", { do: "jump", to: "start" });
  sends("End", { do: "jump", to: "end" });
  sends("1", { do: "select", key: "hidden.weight[1, 2]", depth: "layers" });
  sends("3", { do: "select", key: "hidden.weight[1, 2]", depth: "terms" });
  sends("c", { do: "check", on: false });
  sends("Escape", { do: "select", key: null });
  press(root, "?");
  await later(20);
  assert.match(root.querySelector("dialog").textContent, /Keyboard/);
  press(root, "d");
  await later(20);
  assert.equal(root.querySelector(".view").dataset.theme, "dark");
});

test("moves that are asked for while one is under way are made together", async () => {
  const { root, model } = await shown(await fixture("xor"));
  model.answering = false;
  for (const key of ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowRight"]) press(root, key);
  assert.deepEqual(model.told("move").map((command) => command.by), [1]);
  model.answer({ id: model.told("move")[0].id, ok: null });
  await later(5);
  assert.deepEqual(model.told("move").map((command) => command.by), [1, 2]);
});

test("a slider stays where it is dragged to while Python is behind", async () => {
  const parts = await fixture("mazur");
  const { root, model } = await shown(parts);
  model.answering = false;
  const slider = root.querySelector('.slide input');
  const drag = async (value, event = "input") => {
    slider.value = String(value);
    slider.dispatchEvent(new Event(event, { bubbles: true }));
    await later(5);
  };
  await drag(0.3);
  await drag(0.5);
  model.set("selection", { ...parts.selection, value: 0.3 });
  await later(5);
  assert.equal(slider.valueAsNumber, 0.5);
  await drag(0.5, "change");
  for (let i = 0; i < 2; i++) {
    model.answer({ id: model.told("set").at(-1).id, ok: null });
    await later(5);
  }
  assert.deepEqual(model.told("set").map(({ value, final }) => [value, final]), [[0.3, false], [0.5, true]]);
  model.set("selection", { ...parts.selection, value: 0.4 });
  await later(5);
  assert.equal(slider.valueAsNumber, 0.4);
});

test("keys typed into a field are the field's", async () => {
  const { root, model } = await shown(await fixture("xor"));
  const count = model.sent.length;
  root.querySelector("#change").dispatchEvent(new KeyboardEvent("keydown", { key: "1", bubbles: true, composed: true }));
  assert.equal(model.sent.length, count);
});

test("only what a host understands is offered", async () => {
  const parts = await fixture("xor");
  parts.meta.commands = ["hello", "select", "go", "move", "play", "pause"];
  const { root } = await shown(parts);
  const words = root.querySelector(".view").textContent;
  for (const absent of ["Branch …", "Undo all changes", "Data set …"]) assert.ok(!words.includes(absent), absent);
});

test("panels that are opened are told to Python", async () => {
  const { root, model } = await shown(await fixture("xor"));
  assert.deepEqual(model.told("panel"), []);
  [...root.querySelectorAll("aside h2 button")].find((one) => one.textContent === "Doctor").click();
  await later(20);
  assert.deepEqual([model.sent.at(-1).name, model.sent.at(-1).open], ["doctor", true]);
  assert.match(root.textContent, /What to try/);
});

test("what is said aloud follows the selection and the change", async () => {
  const parts = await fixture("mazur");
  const { root, model } = await shown(parts);
  const said = () => root.querySelector("[aria-live]").textContent;
  assert.equal(said(), parts.change.sentence);
  model.set("change", null);
  await later(20);
  assert.match(said(), /hidden\.weight\[0, 0\], value 0\.25, gradient/);
});

test("where nothing is selected the moment is said aloud, and a change that is past is not told", async () => {
  const parts = await fixture("xor");
  const change = { ...(await fixture("mazur")).change, key: parts.selection.key };
  const { root, model } = await shown({ ...parts, change });
  assert.ok(!root.textContent.includes(change.sentence));
  model.set("selection", null);
  await later(20);
  assert.match(root.querySelector("[aria-live]").textContent, /^step 212 of 360, loss/);
});

test("controls have names", async () => {
  const { root } = await shown(await fixture("xor"));
  for (const one of root.querySelectorAll("button, select, input, [role=button]")) {
    const name = one.getAttribute("aria-label") ?? one.textContent.trim();
    assert.ok(name || one.labels?.length || one.closest("label"), one.outerHTML);
  }
});

test("formulas in pieces keep every symbol, and break in no brackets", async () => {
  const parts = await fixture("mazur");
  const { root } = await shown(parts);
  const { whole, lines } = parts.derivation;
  const said = [whole, ...lines].flatMap((statement) => statement.rights.map((right) => right.mathml.replace(/<[^>]*>/g, "")));
  const broken = [...root.querySelectorAll(".breaks")].map((one) => [...one.children]);
  const texts = broken.map((pieces) => pieces.map((math) => math.textContent).join(""));
  assert.ok(broken.some((pieces) => pieces.length > 2));
  for (const text of said.filter((one) => /[·+]/.test(one))) assert.ok(texts.includes(text), text);
  for (const { textContent } of broken.flat())
    for (const [left, right] of ["()", "[]"]) assert.equal(textContent.split(left).length, textContent.split(right).length, textContent);
});

test("a saved file is a model like any other", async () => {
  const { replay } = await load("src/hosts/file.ts");
  const { meta, drawing, position, curves } = await fixture("xor");
  const model = replay({ version: 1, parts: { meta, drawing, position, curves }, positions: [position], patches: {}, answers: {} });
  stops.push(widget.render({ model, el: document.body }));
  await later(20);
  assert.match(document.body.lastElementChild.shadowRoot.textContent, /step 212 of 360/);
});

test("a part that cannot be drawn is told in its panel, and the rest goes on", async () => {
  const errors = [];
  globalThis.reportError = (error) => errors.push(error);
  const { root, model } = await shown({ ...(await fixture("xor")), curves: { series: [{ name: "broken" }] } });
  assert.match(root.querySelector(".failed").textContent, /could not be drawn/);
  assert.equal(errors.length, 1);
  root.querySelector("text[data-key]").dispatchEvent(new MouseEvent("click", { bubbles: true, composed: true }));
  assert.equal(model.told("select").length, 1);
});

test("what Python names alike is shown all the same", async () => {
  const parts = await fixture("xor");
  const twice = (list) => [...list, ...list];
  const { doctor, curves, surface, contributions, position, histograms, comparison } = parts;
  const split = contributions.splits[1];
  const { root } = await shown({
    ...parts,
    doctor: { ...doctor, findings: twice(doctor.findings), layers: twice(doctor.layers) },
    curves: { ...curves, series: twice(curves.series) },
    surface: { ...surface, paths: twice(surface.paths) },
    contributions: { ...contributions, splits: twice([{ ...split, parts: twice(split.parts) }]) },
    position: { ...position, branches: twice(position.branches) },
    histograms: { groups: twice(histograms.groups) },
    comparison: { ...comparison, gradients: twice(comparison.gradients) },
  });
  for (const button of root.querySelectorAll("aside h2 button[aria-expanded=false]")) button.click();
  await later(20);
  assert.equal(root.querySelectorAll("article").length, 2 * doctor.findings.length);
  assert.equal(root.querySelectorAll(".curve").length, 2 * curves.series.length);
});
