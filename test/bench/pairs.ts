import { median, quantile, rounded } from "./figures.ts";

/** What one round gave. */
export interface Round {
  /** By the clock, with the load generator on the same processors. */
  readonly perSecond: number;
  /** For each second of a processor that the servers themselves (PHP among them) had. */
  readonly perProcessorSecond: number;
}

/** A round of each side, one right after the other. */
export interface Pair {
  readonly rendered: Round;
  readonly handTuned: Round;
}

export interface Compared {
  /** Requests per second, the median of all rounds. */
  readonly rendered: number;
  readonly handTuned: number;
  /** The median of the pairs' ratios, rendered over hand-tuned: what disturbs a pair disturbs both of it. */
  readonly ratio: number;
  /** Between which the middle half of the pairs lies. */
  readonly spread: readonly [number, number];
  /** The same of requests per second of the servers' own processor time. */
  readonly processorRatio: number;
  readonly processorSpread: readonly [number, number];
}

/** Who comes first in each pair: A B, B A, ... so that what rises or falls through the run favours neither. */
export function turns(pairs: number): readonly (readonly ["rendered" | "handTuned", "rendered" | "handTuned"])[] {
  return Array.from({ length: pairs }, (_, index) =>
    index % 2 === 0 ? ["rendered", "handTuned"] : ["handTuned", "rendered"],
  );
}

export function compare(pairs: readonly Pair[]): Compared {
  const ratios = (of: (round: Round) => number): readonly number[] =>
    pairs.map(({ rendered, handTuned }) => of(rendered) / of(handTuned));
  const [clock, processor] = [ratios((one) => one.perSecond), ratios((one) => one.perProcessorSecond)];
  return {
    rendered: rounded(median(pairs.map(({ rendered }) => rendered.perSecond)), 1),
    handTuned: rounded(median(pairs.map(({ handTuned }) => handTuned.perSecond)), 1),
    ratio: rounded(median(clock), 3),
    spread: middleHalf(clock),
    processorRatio: rounded(median(processor), 3),
    processorSpread: middleHalf(processor),
  };
}

function middleHalf(values: readonly number[]): readonly [number, number] {
  return [rounded(quantile(values, 0.25), 3), rounded(quantile(values, 0.75), 3)];
}

/** Rows of equally many cells in columns, the first flush left and the others flush right. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
