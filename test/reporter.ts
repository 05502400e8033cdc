import { stripVTControlCharacters } from "node:util";
import type { Reporter, TestCase, TestModule } from "vitest/node";

type Counts = { passed: number; failed: number; skipped: number };

/** So many rows has the table of the slowest files; a run of no more files than that needs none. */
const SLOWEST = 20;

/** Of what differed, so many lines of so many letters: who reads a log has often nothing else to find the fault with. */
const [DIFFERENCES, WIDTH] = [24, 300] as const;

/**
 * Lists the slowest files, every skipped test with its reason and, once more at the end, where logs are not cut off, what
 * failed; closes the output with one line that scripts can read. The line is printed when the process exits, because Vitest and the hosts' teardown print after the last hook.
 */
export default class ClosingLineReporter implements Reporter {
  #counts: Counts = { passed: 0, failed: 0, skipped: 0 };

  onInit(): void {
    process.once("exit", (code) => {
      const { passed, skipped } = this.#counts;
      // A failing set-up or an interrupt fails the run without failing any test.
      const failed = this.#counts.failed || (code === 0 ? 0 : 1);
      process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const skipped = notDrawn().map((file) => `  ${file}: not drawn; npm run test:full runs it`);
    counts.skipped = skipped.length;
    const failed = unhandledErrors.map((error) => `  outside of all tests: ${told(error)}`);
    for (const module of modules) {
      const outside = errorsOutsideTests(module);
      counts.failed += outside.length;
      failed.push(...outside);
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result();
        if (state === "passed") counts.passed += 1;
        else if (state === "failed") {
          counts.failed += 1;
          failed.push(`  ${module.relativeModuleId} > ${test.fullName}: ${told(errors?.[0])}`);
        } else {
          counts.skipped += 1;
          skipped.push(`  ${module.relativeModuleId} > ${test.fullName}${reason(test)}`);
        }
      }
    }
    this.#counts = counts;
    if (modules.length > SLOWEST) process.stdout.write(`\n${slowestFiles(modules).join("\n")}\n`);
    if (skipped.length > 0) process.stdout.write(`\nSkipped:\n${skipped.join("\n")}\n\n`);
    if (failed.length > 0) process.stdout.write(`\nFailed:\n${failed.join("\n")}\n\n`);
  }
}

/** Files that the short form left out count as one skipped test each. */
function notDrawn(): readonly string[] {
  return process.env["HOSTWRIGHT_TEST_NOT_DRAWN"]?.split(",") ?? [];
}

/** Files run beside each other, so that these seconds are more than the run's own. */
function slowestFiles(modules: readonly TestModule[]): readonly string[] {
  const rows = modules
    .map((module) => {
      const { duration, collectDuration } = module.diagnostic();
      return { ms: duration + collectDuration, file: module.relativeModuleId };
    })
    .toSorted((a, b) => b.ms - a.ms);
  const line = (ms: number, what: string): string => `${(ms / 1000).toFixed(1).padStart(8)}  ${what}`;
  return [
    ` seconds  the ${SLOWEST} slowest files`,
    ...rows.slice(0, SLOWEST).map(({ ms, file }) => line(ms, file)),
    line(
      rows.reduce((sum, { ms }) => sum + ms, 0),
      `all ${rows.length} files`,
    ),
  ];
}

/** A file that cannot be loaded or a failing hook counts as one failure: its tests count as skipped at most. */
function errorsOutsideTests(module: TestModule): readonly string[] {
  const named = [
    { name: module.relativeModuleId, errors: module.errors() },
    ...[...module.children.allSuites()].map((suite) => ({
      name: `${module.relativeModuleId} > ${suite.fullName}`,
      errors: suite.errors(),
    })),
  ];
  return named.filter(({ errors }) => errors.length > 0).map(({ name, errors }) => `  ${name}: ${told(errors[0])}`);
}

/** The first line of what it says, and what differed below it. */
function told(error: unknown): string {
  const { message, diff } = (typeof error === "object" && error !== null ? error : { message: String(error) }) as {
    readonly message?: string;
    readonly diff?: string;
  };
  const different = stripVTControlCharacters(diff ?? "")
    .split("\n")
    .filter((line) => /^[-+] /.test(line))
    .slice(0, DIFFERENCES);
  return [message?.split("\n", 1)[0] ?? "", ...different.map((line) => `    ${line.slice(0, WIDTH)}`)].join("\n");
}

function reason(test: TestCase): string {
  const result = test.result();
  const note = "note" in result ? result.note : undefined;
  const notes = [note, ...test.annotations().map((annotation) => annotation.message)].filter((text) => text);
  return notes.length > 0 ? `: ${notes.join("; ")}` : "";
}
