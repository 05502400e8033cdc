import { readFileSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);

/** Says why this version of Node cannot run Hostwright, or nothing when it can. */
export function nodeProblem(version) {
  const { engines } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
  const numbers = (text) => text.match(/\d+/g).map(Number);
  const [major, minor] = numbers(version);
  const [wantedMajor, wantedMinor = 0] = numbers(engines.node);
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return undefined;
  return (
    `Hostwright needs Node ${engines.node}, but its scripts would run on ${version}. ` +
    "On Linux (x64, arm64) the right one comes with the optional dependencies: " +
    "run `npm ci --include=optional`. Elsewhere install Node 24."
  );
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const problem = nodeProblem(process.versions.node);
  if (problem) {
    console.error(problem);
    process.exitCode = 1;
  }
}
