// Pictures of the view with the fixtures' parts, for those who change how it looks: node show.mjs FOLDER [fixture …]
import { readFile, mkdir } from "node:fs/promises";
import { chromium } from "playwright-core";
import { bundle } from "./build.mjs";

const [folder = "pictures", ...chosen] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const text = await bundle("src/index.ts");
await mkdir(folder, { recursive: true });

/** Runs in the page: a model that keeps what it is sent, and answers everything. */
function start(parts) {
  const listeners = [];
  window.sent = [];
  const model = {
    get: (part) => parts[part],
    on: (event, listener) => listeners.push([event, listener]),
    off: () => {},
    send(command) {
      window.sent.push(command);
      setTimeout(() => listeners.forEach(([event, f]) => event === "msg:custom" && f({ id: command.id, ok: null })));
    },
  };
  window.render({ model, el: document.body, whole: true });
}

for (const name of chosen.length ? chosen : ["mazur", "xor", "teaching", "mnist", "graph"])
  for (const [width, height] of [[1280, 900], [800, 1000]])
    for (const colorScheme of ["light", "dark"]) {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme });
      page.on("pageerror", (error) => console.error(name, error));
      page.on("console", (message) => message.type() === "error" && console.error(name, message.text()));
      await page.setContent("<!doctype html><body style='margin:0'></body>");
      await page.addScriptTag({ type: "module", content: `${text}\n${exported(text)}` });
      await page.waitForFunction("window.render");
      await page.evaluate(start, JSON.parse(await readFile(new URL(`fixtures/${name}.json`, import.meta.url), "utf8")));
      for (const panel of (process.env.OPEN ?? "").split(",").filter(Boolean)) await page.getByRole("button", { name: panel }).click();
      await page.evaluate(() => scrollTo(0, 0));
      await page.waitForTimeout(300);
      await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true });
      await page.close();
    }
await browser.close();

/** The statement that gives the page what the module exports as `default`. */
function exported(text) {
  return `window.render = ${/([\w$]+) as default[,}]/.exec(text)[1]}.render`;
}
