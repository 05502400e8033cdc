import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { ROOT } from "./sources.ts";

const packages = readdirSync(join(ROOT, "packages"));

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

const manifestOf = (name: string): Manifest =>
  JSON.parse(readFileSync(join(ROOT, "packages", name, "package.json"), "utf8")) as Manifest;

test("every entry point of every package can be imported by Node itself, without a bundler's help", async () => {
  const entries = packages.flatMap((folder) => {
    const { name, exports } = manifestOf(folder);
    return Object.keys(exports)
      .filter((path) => !path.endsWith(".json"))
      .map((path) => name + path.slice(1));
  });
  const script = entries.map((entry) => `await import(${JSON.stringify(entry)});`).join("\n");
  const flags = ["--conditions=@hostwright/source", "--input-type=module", "--eval", script];
  const { stderr } = await promisify(execFile)(process.execPath, flags, { cwd: join(ROOT, "packages/testing") });
  expect(entries.length).toBeGreaterThan(packages.length);
  expect(stderr).toBe("");
});
