import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");

/** Vitest gives every name of a CommonJS module; Node only those that it finds without running it. */
test("every package can be imported by Node itself", async () => {
  const names = readdirSync(join(ROOT, "packages")).map((name) => `@hostwright/${name}`);
  const script = `await Promise.all(${JSON.stringify(names)}.map((name) => import(name)))`;
  const args = ["--conditions=@hostwright/source", "--input-type=module", "--eval", script];
  expect((await run(process.execPath, args, { cwd: ROOT })).stderr).toBe("");
});
