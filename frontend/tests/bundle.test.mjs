// The bundle: small, the same from the same source, and of no other host.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { bundle, target } from "../build.mjs";

const text = await bundle("src/index.ts");

test("it is what is committed, and built again the same bytes", async () => {
  assert.equal(await bundle("src/index.ts"), text);
  assert.equal(await readFile(target, "utf8"), text, "run npm run build");
});

test("it has at most 250 kB", () => assert.ok(Buffer.byteLength(text) <= 250_000));

test("it names no host and loads nothing", () => {
  const addresses = new Set(text.match(/(?:https?|wss?):\/\/[\w.]+/g));
  assert.deepEqual(addresses, new Set(["http://www.w3.org"]));
  for (const word of ["fetch(", "XMLHttpRequest", "import(", "eval(", "@import", "url("]) assert.ok(!text.includes(word), word);
});
