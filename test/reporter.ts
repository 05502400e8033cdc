import type { Reporter, TestCase, TestModule } from "vitest/node";

type Counts = { passed: number; failed: number; skipped: number };

/**
 * Lists every skipped test with its reason and closes the output with one line that scripts can read.
 * The line is printed when the process exits, because Vitest and the hosts' teardown print after the last hook.
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
    const skipped: string[] = [];
    for (const module of modules) {
      counts.failed += errorsOutsideTests(module);
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") counts.passed += 1;
        else if (state === "failed") counts.failed += 1;
        else {
          counts.skipped += 1;
          skipped.push(`  ${module.relativeModuleId} > ${test.fullName}${reason(test)}`);
        }
      }
    }
    this.#counts = counts;
    if (skipped.length > 0) process.stdout.write(`\nSkipped:\n${skipped.join("\n")}\n\n`);
  }
}

/** A file that cannot be loaded or a failing hook counts as one failure: its tests count as skipped at most. */
function errorsOutsideTests(module: TestModule): number {
  const suites = [...module.children.allSuites()];
  return [module, ...suites].filter((item) => item.errors().length > 0).length;
}

function reason(test: TestCase): string {
  const result = test.result();
  const note = "note" in result ? result.note : undefined;
  const notes = [note, ...test.annotations().map((annotation) => annotation.message)].filter((text) => text);
  return notes.length > 0 ? `: ${notes.join("; ")}` : "";
}
