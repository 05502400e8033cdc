// Entry of the root scripts. npm itself may run on an older Node, in a clone without node_modules:
// this file therefore has no dependencies and keeps to what Node 18 understands.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeProblem } from "./check-node.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");

function lockedPackages(file) {
  return JSON.parse(readFileSync(file, "utf8")).packages;
}

/** Compiled packages are all optional, one for each kind of machine. */
function isForThisMachine({ os, cpu, libc }) {
  const isGlibc = process.report.getReport().header.glibcVersionRuntime !== undefined;
  return os?.includes(process.platform) && cpu?.includes(process.arch) && (!libc || libc.includes("glibc") === isGlibc);
}

/** Compares with npm's record of what it installed, because file times change with every checkout. */
function isInstalled() {
  const record = join(modules, ".package-lock.json");
  if (!existsSync(record)) return false;
  const installed = lockedPackages(record);
  return Object.entries(lockedPackages(join(root, "package-lock.json"))).every(([path, wanted]) => {
    const found = installed[path];
    if (path === "" || (!found && wanted.optional && !isForThisMachine(wanted))) return true;
    return found !== undefined && found.version === wanted.version && existsSync(join(root, path));
  });
}

function install() {
  console.error("Installing the dependencies named in package-lock.json (npm ci, once) ...");
  const { npm_execpath: npm, npm_node_execpath: node } = process.env;
  const command = npm && node && existsSync(node) ? [node, npm] : ["npm"];
  // No dependency needs its install script; those of ssh2 would only try to compile an optional add-on.
  const flags = ["ci", "--include=dev", "--include=optional", "--ignore-scripts", "--loglevel=error"];
  const { error, status } = spawnSync(command[0], [...command.slice(1), ...flags], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    env: {
      ...process.env,
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --require=${JSON.stringify(join(root, "tools", "npm-for-our-node.cjs"))}`,
    },
  });
  if (error) console.error(`Could not start npm: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function findNode() {
  const bundled = join(modules, `node-linux-${process.arch}`, "bin", "node");
  if (process.platform === "linux" && existsSync(bundled)) return bundled;
  const problem = nodeProblem(process.versions.node);
  if (problem) {
    console.error(problem);
    process.exit(1);
  }
  return process.execPath;
}

function run(script, args) {
  const node = findNode();
  const path = [dirname(node), join(modules, ".bin"), process.env.PATH].join(delimiter);
  const child = spawn(node, ["--conditions=@hostwright/source", join(root, script), ...args], {
    cwd: root,
    env: { ...process.env, PATH: path },
    stdio: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child as well; a second one would cut its clean-up short.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("error", (error) => {
    console.error(`Could not start ${node}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = signal ? 128 + constants.signals[signal] : code;
  });
}

const OLDEST = 18;
if (Number.parseInt(process.versions.node, 10) < OLDEST) {
  console.error(
    `Hostwright's scripts start on Node ${OLDEST} or newer (they fetch the Node 24 that they run on), not on ${process.versions.node}.`,
  );
  process.exit(1);
}
const [script, ...args] = process.argv.slice(2);
if (!script) {
  console.error("Usage: node tools/bootstrap.mjs <script> [arguments]");
  process.exit(2);
}
if (!isInstalled()) install();
run(script, args);
