// The bundle: small, the same from the same source, and of no other host.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { bundle, licences, target } from "../build.mjs";

const text = await bundle("src/index.ts");

test("it is what is committed, and built again the same bytes", async () => {
  assert.equal(await bundle("src/index.ts"), text);
  assert.equal(await readFile(target, "utf8"), text, "run npm run build");
  assert.match(await readFile(licences, "utf8"), /^svelte 5[^]*Permission is hereby granted/m);
});

test("every text is said somewhere", async () => {
  const texts = [...(await readFile(new URL("../src/texts.ts", import.meta.url), "utf8")).matchAll(/^  (\w+):/gm)].map((found) => found[1]);
  const folder = new URL("../src/", import.meta.url);
  const files = (await readdir(folder, { recursive: true })).filter((name) => /\.(svelte|ts)$/.test(name) && name !== "texts.ts");
  const source = (await Promise.all(files.map((name) => readFile(new URL(name, folder), "utf8")))).join("\n");
  assert.deepEqual(texts.filter((name) => !new RegExp(`\\bT\\.${name}\\b`).test(source)), []);
});

test("it has at most 250 kB", () => assert.ok(Buffer.byteLength(text) <= 250_000));

test("it names no host and loads nothing", () => {
  const addresses = new Set(text.match(/(?:https?|wss?):\/\/[\w.]+/g));
  assert.deepEqual(addresses, new Set(["http://www.w3.org"]));
  for (const word of ["fetch(", "XMLHttpRequest", "import(", "eval(", "@import", "url("]) assert.ok(!text.includes(word), word);
});
