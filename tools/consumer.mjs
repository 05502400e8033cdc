import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { STRICT } from "./strict-user.mjs";

/** What a user has: packed packages in an empty folder. */
const USED = ["core", "platform-wordpress", "service-mysql", "service-nginx", "service-php-fpm"];

const [, program] = /```ts\n(import [\s\S]*?)```/.exec(readFileSync("README.md", "utf8")) ?? [];
if (program === undefined) throw new Error("README.md has no first program");
const esm = `${program}\nconst text: string = url;\nconsole.log(text.toUpperCase());\n`;
const cjs = `import core = require("@hostwright/core");
import kit = require("@hostwright/core/plugin");
export async function url(hw: core.Hostwright): Promise<string> {
  return (await hw.run(core.install("example.com", { platform: "wp-6.8" }))).url;
}
export const contract: number = kit.CONTRACT;
`;

const VARIANTS = [
  { name: "nodenext", file: "main.mts", text: esm, options: { module: "nodenext" } },
  { name: "node16", file: "main.mts", text: esm, options: { module: "node16" } },
  { name: "bundler", file: "main.mts", text: esm, options: { module: "esnext", moduleResolution: "bundler" } },
  { name: "CommonJS", file: "main.cts", text: cjs, options: { module: "nodenext" } },
];

/** Each module costs an import a third of a millisecond; a class that is there twice is another class. */
const IMPORTED = `import assert from "node:assert/strict";
import { registerHooks } from "node:module";
let files = 0;
registerHooks({ load: (url, context, next) => ((files += url.includes("/@hostwright/core/")), next(url, context)) });
const [core, kit] = [await import("@hostwright/core"), await import("@hostwright/core/plugin")];
assert(files > 0 && files <= 16, "core and its plugin kit are " + files + " files: were they bundled?");
for (const name of ["HostwrightError", "Secret", "Server"]) assert.equal(core[name], kit[name], name + " is there twice");
`;

const OLDER = `import assert from "node:assert/strict";
Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.4" } });
await assert.rejects(import("@hostwright/core/plugin"), /^Error: Hostwright needs Node [0-9.]+ or later, and this is Node 18.20.4.$/);
`;

function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}\n${error?.message ?? `${stdout}${stderr}`}`);
  return stdout;
}

const folder = mkdtempSync(join(tmpdir(), "hostwright-consumer-"));
try {
  const scope = join(folder, "node_modules/@hostwright");
  mkdirSync(scope, { recursive: true });
  const paths = USED.map((name) => `./packages/${name}`);
  const packed = JSON.parse(
    run("npm", ["pack", "--json", "--foreground-scripts=false", "--pack-destination", folder, ...paths], "."),
  );
  const needed = new Set(["@types/node"]);
  for (const [index, name] of USED.entries()) {
    mkdirSync(join(scope, name));
    run("tar", ["-xzf", join(folder, packed[index].filename), "--strip-components=1", "-C", join(scope, name)], ".");
    const { dependencies = {} } = JSON.parse(readFileSync(join(scope, name, "package.json"), "utf8"));
    for (const dependency of Object.keys(dependencies)) needed.add(dependency);
  }
  for (const name of needed) {
    const at = join(folder, "node_modules", name);
    mkdirSync(join(at, ".."), { recursive: true });
    symlinkSync(resolve("node_modules", name), at);
  }
  for (const { name, file, text, options } of VARIANTS) {
    writeFileSync(join(folder, file), text);
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions: { ...STRICT, noEmit: true, ...options }, files: [file] }),
    );
    try {
      run(resolve("node_modules/.bin/tsc"), ["-p", "."], folder);
    } catch (error) {
      console.error(`${name}: ${String(error)}`);
      process.exitCode = 1;
    }
  }
  run(process.execPath, ["-e", 'require("@hostwright/core").createHostwright.call'], folder);
  for (const script of [IMPORTED, OLDER]) run(process.execPath, ["--input-type=module", "-e", script], folder);
} finally {
  rmSync(folder, { recursive: true });
}
