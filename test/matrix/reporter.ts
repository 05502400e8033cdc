import type { Reporter, TestModule, TestSuite } from "vitest/node";

interface Row {
  readonly cell: string;
  readonly tried: number;
  readonly failed: readonly string[];
  readonly seconds: number;
}

/** Prints a row for each cell when all is over, and with HOSTWRIGHT_MATRIX_JSON the figures as one line of JSON. */
export default class MatrixReporter implements Reporter {
  readonly #began = new Map<string, number>();
  readonly #ended = new Map<string, number>();
  #rows: readonly Row[] = [];
  #skipped: readonly string[] = [];
  /** What failed in no cell. */
  #beside: readonly string[] = [];

  onInit(): void {
    // Behind what the other reporters say in the end.
    process.once("exit", () => this.#print());
  }

  onTestSuiteReady({ id }: TestSuite): void {
    this.#began.set(id, performance.now());
  }

  onTestSuiteResult({ id }: TestSuite): void {
    this.#ended.set(id, performance.now());
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const matrix = modules.filter(({ relativeModuleId }) => relativeModuleId.startsWith("test/matrix/"));
    this.#rows = matrix.flatMap(({ children }) => [...children.suites()].map((suite) => this.#row(suite)));
    this.#beside = [
      ...matrix.filter((module) => module.errors().length > 0).map(({ relativeModuleId }) => relativeModuleId),
      ...matrix.flatMap(({ children }) => [...children.tests("failed")].map(({ name }) => name)),
    ];
    this.#skipped = matrix.flatMap(({ children }) => [...children.tests("skipped")].map(({ name }) => name));
  }

  #row(suite: TestSuite): Row {
    const tests = [...suite.children.allTests()].filter((test) => test.result().state !== "skipped");
    const inner = [suite, ...suite.children.allSuites()].filter((one) => one.errors().length > 0);
    const failed = [
      ...inner.map((one) => `${one.name}: its set-up or clean-up`),
      ...tests.filter((test) => test.result().state !== "passed").map((test) => test.fullName),
    ];
    const ms = (this.#ended.get(suite.id) ?? 0) - (this.#began.get(suite.id) ?? 0);
    return { cell: suite.name, tried: tests.length, failed, seconds: Math.round(ms / 1000) };
  }

  #print(): void {
    const line = (...cells: readonly (string | number)[]): string =>
      cells.map((cell, index) => (index === 0 ? String(cell).padEnd(32) : String(cell).padStart(8))).join("");
    const tried = this.#rows.reduce((sum, row) => sum + row.tried, 0);
    const failed = [...this.#beside, ...this.#rows.flatMap((row) => row.failed)];
    const seconds = this.#rows.reduce((sum, row) => sum + row.seconds, 0);
    const lines = [
      line("cell", "tried", "failed", "seconds"),
      ...this.#rows.map((row) => line(row.cell, row.tried, row.failed.length, row.seconds)),
      line(`${this.#rows.length} cells`, tried, failed.length, seconds),
      ...this.#skipped.map((name) => `skipped: ${name}`),
      ...failed.map((name) => `failed: ${name}`),
    ];
    process.stdout.write(`\n${lines.join("\n")}\n`);
    if (process.env["HOSTWRIGHT_MATRIX_JSON"] === undefined) return;
    const figures = { cells: this.#rows.length, tried, failed, skipped: this.#skipped };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  }
}
