import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../..", import.meta.url).pathname;
const packages = readdirSync(`${root}packages`).map((name) => `@hostwright/${name}`);
/** Needs Vitest around it. */
const others = packages.filter((name) => name !== "@hostwright/testing");

const LOAD = `const failed = [];
for (const name of process.argv.slice(1)) await import(name).catch((error) => failed.push(name + ": " + error.message));
process.stdout.write(failed.join("\\n"));`;

test("every package loads in Node as it is: what Vitest lets pass (a name that a CommonJS module seems to export) does not", () => {
  const argv = ["--conditions=@hostwright/source", "--input-type=module", "--eval", LOAD, "--", ...others];
  const { stdout, stderr } = spawnSync(process.execPath, argv, { cwd: root, encoding: "utf8" });
  expect(others.length).toBeGreaterThan(5);
  expect([stdout, stderr]).toEqual(["", ""]);
});
