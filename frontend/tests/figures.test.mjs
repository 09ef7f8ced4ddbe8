// Numbers in charts, and keys.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./helpers.mjs";

const { linear, logarithmic, written, finite, limits, polyline } = await load("src/figures.ts");
const { numberOf, standsFor } = await load("src/protocol.ts");
const { onDark, signed } = await load("src/colours.ts");

test("scales lead there and back, and their ticks are round and inside", () => {
  for (const [low, high] of [[0, 1], [-3.7, 12.2], [1e-9, 3e-9], [-1e6, 0], [100, 107]]) {
    const scale = linear(low, high, 40, 400);
    assert.ok(Math.abs(scale(low) - 40) < 1e-9 && Math.abs(scale(high) - 400) < 1e-9);
    assert.ok(Math.abs(scale.back(scale(low + 0.3 * (high - low))) - (low + 0.3 * (high - low))) < 1e-9 * (high - low));
    assert.ok(scale.ticks.length >= 2 && scale.ticks.length <= 9, scale.ticks);
    for (const tick of scale.ticks) assert.ok(tick >= low - 1e-9 * Math.abs(low) && tick <= high + 1e-9 * Math.abs(high));
  }
  const decades = logarithmic(1e-4, 10, 0, 100);
  assert.deepEqual(decades.ticks.map((x) => Math.log10(x)), [-4, -2, 0]);
  assert.ok(Math.abs(decades.back(decades(0.02)) - 0.02) < 1e-12);
});

test("numbers are written with a real minus, in few digits", () => {
  const pairs = [[0, "0"], [-1.5, "−1.5"], [1 / 3, "0.3333"], [123456.7, "123500"], [1.5e-7, "1.5e−7"], [NaN, "NaN"], [-Infinity, "−∞"], [2e9, "2e9"]];
  for (const [x, text] of pairs) assert.equal(written(x), text);
});

test("what JSON cannot hold comes as text", () => {
  assert.ok(Number.isNaN(finite("NaN")) && Number.isNaN(finite(null)));
  assert.equal(finite("-Infinity"), -Infinity);
  assert.deepEqual(limits([3, NaN, -1, Infinity]), [-1, 3]);
  assert.equal(polyline([[0, 1], [1, NaN], [2, 3], [3, 4]]), "M0.0 1.0M2.0 3.0L3.0 4.0");
});

test("a key stands for itself, for all places of its letters, an array and a layer for what is in them", () => {
  const all = ["a[0, 1]", "a[2, 1]", "a[0, 10]", "ab[0, 1]", "a.b[1]", "∂L/∂a[0, 1]"];
  const meant = (key) => all.filter(standsFor(key));
  assert.deepEqual(meant("a[0, 1]"), ["a[0, 1]"]);
  assert.deepEqual(meant("a[n, 1]"), ["a[0, 1]", "a[2, 1]"]);
  assert.deepEqual(meant("a[0, k]"), ["a[0, 1]", "a[0, 10]"]);
  assert.deepEqual(meant("∂L/∂a[i, j]"), ["∂L/∂a[0, 1]"]);
  assert.deepEqual(meant("a"), ["a[0, 1]", "a[2, 1]", "a[0, 10]", "a.b[1]"]);
});

test("the number to be selected is the one that a gradient is by, the first of several", () => {
  assert.equal(numberOf("∂L/∂hidden.weight[0, 1]"), "hidden.weight[0, 1]");
  assert.equal(numberOf("∂loss/∂a"), "a");
  assert.equal(numberOf("output.a[0, k]"), "output.a[0, 0]");
  assert.equal(numberOf("x"), "x");
});

test("paper is dark in the dark, and what is laid on it stands out as before", () => {
  const brightness = (hex) => onDark(hex).reduce((sum, x) => sum + x, 0);
  const shades = ["#ffffff", "#c4d6e7", "#8aaed0", "#14619f"].map(brightness);
  assert.deepEqual(shades, [...shades].sort((a, b) => a - b));
});

test("surfaces: paper at zero, deeper the further from it, and told apart where all have one sign", () => {
  const depth = (grid, x) => signed(grid, false).colour(x).reduce((sum, y) => sum + 255 - y, 0);
  const both = { least: -2, greatest: 4 };
  assert.ok(depth(both, 0) < depth(both, 2) && depth(both, 2) < depth(both, 4));
  assert.notDeepEqual(signed(both, false).colour(-1), signed(both, false).colour(1));
  for (const one of [{ least: 0.6, greatest: 0.7 }, { least: -0.7, greatest: -0.6 }])
    assert.ok(depth(one, 0.65 * Math.sign(one.least)) > depth(one, 0.6 * Math.sign(one.least)) * 1.3);
  assert.ok(signed({ least: 0, greatest: 0 }, false).colour(0).every(Number.isFinite));
});
