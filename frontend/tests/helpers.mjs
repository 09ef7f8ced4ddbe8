// A page without a browser, modules of the front end, and models that hosts would give.
import { readFile, writeFile, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { JSDOM } from "jsdom";
import { bundle } from "../build.mjs";

const dom = new JSDOM("<!doctype html><body></body>", { url: "http://127.0.0.1:8000/?token=secret", pretendToBeVisual: true });
const { window } = dom;
window.matchMedia = () => Object.assign(new window.EventTarget(), { matches: false });
window.HTMLCanvasElement.prototype.getContext = () => null;
window.ResizeObserver = class {
  observe() {}
  unobserve() {}
  disconnect() {}
};
window.CSS = { escape: (text) => text.replace(/["\\[\]]/g, "\\$&") };
for (const name of Object.getOwnPropertyNames(window))
  if (!(name in globalThis) && !name.startsWith("_")) globalThis[name] = window[name];
for (const name of ["document", "Event", "EventTarget", "CustomEvent", "MouseEvent", "KeyboardEvent"]) globalThis[name] = window[name];
globalThis.CSS = window.CSS;
globalThis.matchMedia = window.matchMedia;

const folder = await mkdtemp(join(tmpdir(), "view-"));

/** A module of the front end, bundled as for the page. */
export async function load(entry) {
  const path = join(folder, `${entry.replaceAll("/", "-")}.mjs`);
  await writeFile(path, await bundle(entry, { minify: false }));
  return import(pathToFileURL(path).href);
}

export const fixture = async (name) => JSON.parse(await readFile(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8"));
export const later = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

/** A model as anywidget gives it, which counts its listeners and answers when it is told to. */
export class FakeModel {
  listeners = [];
  sent = [];
  constructor(parts = {}, answering = true) {
    this.parts = parts;
    this.answering = answering;
  }
  get(part) {
    return this.parts[part];
  }
  on(event, listener) {
    this.listeners.push({ event, listener });
  }
  off(event, listener) {
    this.listeners = this.listeners.filter((one) => one.event !== event || one.listener !== listener);
  }
  send(command) {
    this.sent.push(command);
    if (this.answering) queueMicrotask(() => this.answer({ id: command.id, ok: null }));
  }
  say(event, message) {
    for (const { listener } of this.listeners.filter((one) => one.event === event)) listener(message);
  }
  answer(message) {
    this.say("msg:custom", message);
  }
  set(part, value) {
    this.parts[part] = value;
    this.say(`change:${part}`);
  }
  told(name) {
    return this.sent.filter((command) => command.do === name);
  }
}
