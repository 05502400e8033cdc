import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

const packages = readdirSync("packages").map((name) => `packages/${name}`);

const source = [
  ["types", "tsc", "-p", "tsconfig.check.json"],
  ["lint", "oxlint", "--type-aware", "--tsconfig=tsconfig.check.json", "--deny-warnings"],
  ["order of the folders, types in contracts", "vitest", "run", "--project=quick", "test/quick/layers.test.ts"],
  ["format", "oxfmt", "--check"],
  ["unused code and dependencies", "knip", "--no-config-hints"],
];
const build = ["build", "npm", "run", "build"];
const built = [
  ...packages.flatMap((path) => [
    [`${path}: publint`, "publint", path, "--strict"],
    [`${path}: types as published`, "attw", "--pack", path, "--profile", "esm-only"],
  ]),
  ["public interfaces (npm run api:update accepts a change)", "node", "tools/api.mjs"],
  ["the first program of the README in the project of a strict user", "node", "tools/consumer.mjs"],
];

const failed = [];

function passes([name, command, ...args]) {
  const started = performance.now();
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 2 ** 28 });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (status === 0) return true;
  failed.push(name);
  console.log(error ? error.message : `${stdout}${stderr}`.trimEnd());
  return false;
}

for (const step of source) passes(step);
if (passes(build)) for (const step of built) passes(step);
else console.log("not run: the checks of what was built");

if (failed.length > 0) {
  console.error(`\ncheck failed: ${failed.join("; ")}`);
  process.exitCode = 1;
}
