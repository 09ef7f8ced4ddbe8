// Bundles the front end into the one file that the Python package carries; with --check, compares the two.
import { readFile, writeFile } from "node:fs/promises";
import { basename, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { compile } from "svelte/compiler";

const here = fileURLToPath(new URL(".", import.meta.url));
export const target = fileURLToPath(new URL("../src/chainrule/viewer/static/view.js", import.meta.url));

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

/** The bundle of a module of the front end, as text. */
export async function bundle(entry, options = {}) {
  const result = await build({
    absWorkingDir: here,
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    target: ["es2022", "chrome111", "firefox121", "safari16.4"],
    conditions: ["browser", "production"],
    define: { "process.env.NODE_ENV": '"production"' },
    loader: { ".css": "text" },
    plugins: [svelte],
    minify: true,
    legalComments: "none",
    banner: { js: "// chainrule's view, built from frontend/. Contains Svelte (MIT, Copyright the Svelte contributors)." },
    write: false,
    ...options,
  });
  if (result.warnings.length) throw new Error(result.warnings.map((w) => w.text).join("\n"));
  return result.outputFiles[0].text;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await bundle("src/index.ts");
  if (process.argv.includes("--check")) {
    if (text !== (await readFile(target, "utf8").catch(() => ""))) {
      console.error("view.js is not what its source gives; run npm run build and commit it");
      process.exit(1);
    }
  } else await writeFile(target, text);
  console.log(`view.js: ${(Buffer.byteLength(text) / 1000).toFixed(0)} kB`);
}
