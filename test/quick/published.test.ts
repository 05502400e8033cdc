import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { filesBelow, ROOT } from "./sources.ts";

const packages = readdirSync(join(ROOT, "packages"));

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly engines: unknown;
}

const manifestOf = (name: string): Manifest =>
  JSON.parse(readFileSync(join(ROOT, "packages", name, "package.json"), "utf8")) as Manifest;

const WATCH = `const { registerHooks } = process.getBuiltinModule("node:module");
const loaded = [];
registerHooks?.({ load: (url, context, next) => (loaded.push(url), next(url, context)) });`;
const TELL = "process.stdout.write(JSON.stringify(loaded));";

/** Imports them one after the other, as an application does, and writes what was loaded. */
async function imported(
  entries: readonly string[],
  flags: readonly string[] = [],
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const script = [WATCH, ...entries.map((entry) => `await import(${JSON.stringify(entry)});`), TELL].join("\n");
  const argv = ["--conditions=@hostwright/source", ...flags, "--input-type=module", "--eval", script];
  return promisify(execFile)(process.execPath, argv, { cwd: join(ROOT, "packages/testing") });
}

test("every entry point of every package can be imported by Node itself, without a bundler's help", async () => {
  const entries = packages.flatMap((folder) => {
    const { name, exports } = manifestOf(folder);
    return Object.keys(exports)
      .filter((path) => !path.endsWith(".json"))
      .map((path) => name + path.slice(1));
  });
  const { stderr } = await imported(entries);
  expect(entries.length).toBeGreaterThan(packages.length);
  expect(stderr).toBe("");
});

test.each(["@hostwright/core", "@hostwright/core/plugin"])(
  "an import of %s loads light libraries only: the others come with the first instance, server or page",
  async (entry) => {
    const loaded = JSON.parse((await imported([entry])).stdout) as readonly string[];
    const libraries = loaded.map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]);
    expect(libraries).toContain("zod");
    expect(libraries.filter((name) => !["zod", "diff", undefined].includes(name))).toEqual([]);
    // With it comes all of Node's `fetch`.
    expect(loaded).not.toContain("node:http");
  },
);

test("an older Node is told in one line what is needed", async () => {
  for (const version of ["18.20.4", "24.14.1"]) {
    const older = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });`;
    const flags = [`--import=data:text/javascript,${encodeURIComponent(older)}`];
    const failure: unknown = await imported(["@hostwright/service-nginx"], flags).catch((error: unknown) => error);
    const { stderr } = failure as { readonly stderr: string };
    expect(stderr).toContain(`Error: Hostwright needs Node 24.15 or later, and this is Node ${version}.`);
    expect(stderr).not.toContain("    at ");
  }
});

test("the Node that is needed is what the packages say, and nothing newer is imported before it is looked at", () => {
  const { engines } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { readonly engines: unknown };
  for (const folder of packages) expect(manifestOf(folder).engines, folder).toEqual(engines);
  expect(readFileSync(join(ROOT, "packages/core/src/node-version.ts"), "utf8")).toContain('"24.15"');
  expect(engines).toEqual({ node: ">=24.15" });
  const sources = packages.flatMap((folder) => filesBelow(`packages/${folder}/src`, ".ts"));
  // What Node 18, the oldest that Debian has, does not know.
  const unknown = /^import (?!type )[^;]*(?:"node:sqlite"|\bhash\b[^;]*"node:crypto")/m;
  const tooNew = sources.filter((file) => unknown.test(readFileSync(join(ROOT, file), "utf8")));
  expect(tooNew.filter((file) => !file.endsWith(".test.ts"))).toEqual([]);
});
