// Bundles the front end into the one file that the Python package carries; with --check, compares the two.
import { readFile, writeFile } from "node:fs/promises";
import { basename, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { compile } from "svelte/compiler";

const place = (path) => fileURLToPath(new URL(path, import.meta.url));
const here = place(".");
export const target = place("../src/chainrule/viewer/static/view.js");
/** The licences of what others wrote of it. */
export const licences = place("../src/chainrule/viewer/static/LICENSES.txt");

const svelte = {
  name: "svelte",
  setup(builder) {
    builder.onLoad({ filter: /\.svelte$/ }, async ({ path }) => {
      const { js, warnings } = compile(await readFile(path, "utf8"), {
        filename: relative(here, path),
        name: basename(path, ".svelte"),
        css: "injected", // into the shadow root that a component is mounted in
        cssHash: ({ name, hash, css }) => `c-${name}-${hash(css)}`,
      });
      return {
        contents: js.code,
        loader: "js",
        warnings: warnings.map(({ message, start }) => ({ text: message, location: { file: path, line: start?.line } })),
      };
    });
    // What Svelte tells developers goes, and with it the addresses of its pages: the bundle names no host.
    builder.onLoad({ filter: /node_modules\/svelte\/.*\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8"))
        .replace("import { DEV } from 'esm-env';", "const DEV = false;")
        .replaceAll("https://svelte.dev/e/", "svelte: "),
    }));
  },
};

async function built(entry, options) {
  const result = await build({
    absWorkingDir: here,
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    target: ["es2022", "chrome111", "firefox121", "safari16.4"],
    conditions: ["browser", "production"],
    loader: { ".css": "text" },
    plugins: [svelte],
    minify: true,
    legalComments: "none",
    banner: { js: "// chainrule's view, built from frontend/; LICENSES.txt has the licences of what others wrote of it." },
    metafile: true,
    write: false,
    ...options,
  });
  if (result.warnings.length) throw new Error(result.warnings.map((w) => w.text).join("\n"));
  return result;
}

/** The bundle of a module of the front end, as text. */
export async function bundle(entry, options = {}) {
  return (await built(entry, options)).outputFiles[0].text;
}

/** The licences of the packages that some code of stands in the bundle. */
async function licencesOf({ outputs }) {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const inside = inputs.filter(([path, { bytesInOutput }]) => path.startsWith("node_modules/") && bytesInOutput);
  const names = [...new Set(inside.map(([path]) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)[1]))].sort();
  const texts = names.map(async (name) => {
    const { version } = JSON.parse(await readFile(place(`node_modules/${name}/package.json`), "utf8"));
    const read = (file) => readFile(place(`node_modules/${name}/${file}`), "utf8").catch(() => "");
    const text = (await read("LICENSE.md")) || (await read("LICENSE")) || (await read("license"));
    if (!text) throw new Error(`${name} is bundled, and has no licence`);
    return `${name} ${version}\n\n${text.trim()}\n`;
  });
  return (await Promise.all(texts)).join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { outputFiles, metafile } = await built("src/index.ts", {});
  const files = [
    [target, outputFiles[0].text],
    [licences, await licencesOf(metafile)],
  ];
  for (const [path, text] of files)
    if (!process.argv.includes("--check")) await writeFile(path, text);
    else if (text !== (await readFile(path, "utf8").catch(() => ""))) {
      console.error(`${basename(path)} is not what its source gives; run npm run build and commit it`);
      process.exit(1);
    }
  console.log(`view.js: ${(Buffer.byteLength(files[0][1]) / 1000).toFixed(0)} kB`);
}
