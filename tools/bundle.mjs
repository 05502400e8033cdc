import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { rolldown } from "rolldown";

// Core as it is published: `tsc` compiles it to hundreds of small modules, and finding and reading each of them was a third
// of an import (decisions.md D64). What entries have in common is in files that they share, so that each class is there once.
const folder = resolve(import.meta.dirname, "../packages/core");
const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const entries = Object.values(exports).flatMap(({ default: file }) => (file === undefined ? [] : [file]));
const nameOf = (file) => file.slice(file.lastIndexOf("/") + 1, -".js".length);

/** Without them the maps would lead to what `tsc` made, and not to the sources. */
const mapsOfTsc = {
  name: "maps-of-tsc",
  load(id) {
    return { code: readFileSync(id, "utf8"), map: readFileSync(`${id}.map`, "utf8") };
  },
};

const FIRST = "node-version";
const bundle = await rolldown({
  cwd: folder,
  input: Object.fromEntries([FIRST, ...entries.map(nameOf)].map((name) => [name, `./dist/${name}.js`])),
  platform: "node",
  external: /^[^./]/,
  plugins: [mapsOfTsc],
});
await bundle.write({
  dir: join(folder, dirname(entries[0])),
  cleanDir: true,
  chunkFileNames: "part-[hash].js",
  format: "esm",
  keepNames: true,
  sourcemap: true,
  // Before every other import, those of shared files too: an older Node is told so before it meets what it does not know.
  banner: ({ name }) => (name === FIRST ? "" : `import "./${FIRST}.js";`),
});
