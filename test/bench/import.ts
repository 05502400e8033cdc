import { spawnSync } from "node:child_process";
import { median, rounded } from "./figures.ts";

export interface ImportFigures {
  readonly coreMs: number;
  readonly librariesMs: number;
  readonly ratio: number;
}

/** Of processor time, over the import of zod and the OpenTelemetry API alone. */
export const MOST_RATIO = 2;

const IMPORTS = { core: ["@hostwright/core"], libraries: ["zod", "@opentelemetry/api"] } as const;

/**
 * Times the import of core as it is published, and that of the two libraries that it stands on. The two take turns, each
 * time in a process of its own, so that a machine which is slower now is so for both.
 */
export function benchImport(runs: number, say: (line: string) => void): ImportFigures {
  run("npm", ["run", "build"]);
  const times = { core: [] as number[], libraries: [] as number[] };
  for (let round = 0; round <= runs; round += 1) {
    for (const name of ["core", "libraries"] as const) {
      const ms = processorMs(IMPORTS[name]);
      // The first round fills the machine's caches of files.
      if (round > 0) times[name].push(ms);
    }
  }
  const [coreMs, librariesMs] = [median(times.core), median(times.libraries)];
  say(`import of core: ${coreMs.toFixed(1)} ms of CPU; of zod and the OpenTelemetry API: ${librariesMs.toFixed(1)} ms`);
  return { coreMs: rounded(coreMs, 1), librariesMs: rounded(librariesMs, 1), ratio: rounded(coreMs / librariesMs, 2) };
}

function processorMs(entries: readonly string[]): number {
  const script = `const before = process.cpuUsage();
for (const entry of ${JSON.stringify(entries)}) await import(entry);
const { user, system } = process.cpuUsage(before);
process.stdout.write(String((user + system) / 1000));`;
  return Number(run(process.execPath, ["--input-type=module", "--eval", script]));
}

function run(command: string, argv: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, argv, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${argv.join(" ")}\n${error?.message ?? `${stdout}${stderr}`}`);
  return stdout;
}
