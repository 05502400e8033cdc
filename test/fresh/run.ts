import { parseArgs } from "node:util";
import { packagesMissing } from "../../packages/testing/src/containers/requirements.ts";
import { FreshMachine, RELEASES, type Release } from "./machine.ts";

const USAGE = `usage: npm run test:fresh -- [--release ${RELEASES.join("|")}] [--only demo|test] [--json]`;
const REPOSITORY = new URL("../..", import.meta.url).pathname;
const CLONE = "/root/hostwright";
/** The commands of the README, the second with one file of those that need hosts. */
const COMMANDS = { demo: "npm run demo", test: "npm test -- --hosts test/prepare.hosts.test.ts" } as const;

interface Figures {
  readonly release: Release;
  readonly missing: readonly string[];
  readonly seconds: Readonly<Record<string, number>>;
  readonly failed: readonly string[];
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

type CommandName = keyof typeof COMMANDS;

async function tryRelease(release: Release, names: readonly CommandName[], signal: AbortSignal): Promise<Figures> {
  await using machine = await FreshMachine.make(release);
  const missing = packagesMissing((file) => machine.has(file));
  if (missing.length === 0) throw new Error(`this Debian ${release} shows nothing: it has all that test hosts need`);
  say(`\nDebian ${release}, without ${missing.join(", ")}`);
  await machine.clone(REPOSITORY, CLONE);
  const seconds: Record<string, number> = {};
  const failed: string[] = [];
  for (const name of names) {
    const command = COMMANDS[name];
    say(`\n${release}$ ${command}`);
    const started = performance.now();
    const code = await machine.sh(CLONE, command, signal);
    signal.throwIfAborted();
    seconds[name] = Math.round((performance.now() - started) / 1000);
    if (code !== 0) failed.push(`${command}: exit code ${code}`);
  }
  if (machine.left.length > 0) failed.push(`test hosts left behind: ${machine.left.join(", ")}`);
  return { release, missing, seconds, failed };
}

async function fresh(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { release: { type: "string" }, only: { type: "string" }, json: { type: "boolean", default: false } },
  });
  const wanted = RELEASES.filter((release) => values.release === undefined || values.release === release);
  const names = (Object.keys(COMMANDS) as CommandName[]).filter((name) => (values.only ?? name) === name);
  if (wanted.length === 0 || names.length === 0) throw new Error(USAGE);
  const stopped = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(name, () => stopped.abort(new Error(`stopped by ${name}`)));
  const all: Figures[] = [];
  for (const release of wanted) all.push(await tryRelease(release, names, stopped.signal));
  say("");
  for (const { release, seconds, failed } of all) {
    const times = Object.entries(seconds).map(([name, count]) => `${name} ${count} s`);
    say(`${release}: ${times.join(", ")}${failed.map((one) => `; FAILED ${one}`).join("")}`);
  }
  if (all.some(({ failed }) => failed.length > 0)) process.exitCode = 1;
  if (values.json) say(JSON.stringify(all));
}

try {
  await fresh(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
