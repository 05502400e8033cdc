import type { Problem } from "../contracts/problem.ts";
import type { Planning } from "../contracts/planning.ts";
import { toHostwrightError, type HostwrightError } from "../errors/hostwright-error.ts";
import { breathe } from "../model/breathe.ts";
import { namesOf } from "../model/names-of.ts";

/** Judges each record alone: one that cannot be worked with is named among the problems, and its neighbours go on. */
export class Alone {
  readonly #context: Planning;
  readonly #left: { readonly what: string; readonly error: HostwrightError }[] = [];

  constructor(context: Planning) {
    this.#context = context;
  }

  /** How often something was left out. */
  get count(): number {
    return this.#left.length;
  }

  /** What the work gave for each record, without those that it failed for. */
  async each<T, R>(
    records: readonly T[],
    what: (record: T) => string,
    work: (record: T) => R | Promise<R>,
  ): Promise<readonly R[]> {
    const results: R[] = [];
    // One after the other: what they wait for is read once for all, and then each would be worked in one breath with the rest.
    for (const record of records) {
      await breathe();
      try {
        results.push(await work(record));
      } catch (error) {
        if (this.#context.signal.aborted) throw error;
        this.tell(what(record), error);
      }
    }
    return results;
  }

  tell(what: string, error: unknown): void {
    this.#left.push({ what, error: toHostwrightError(error) });
  }

  /** What has one cause is one problem, however many records have it. */
  problems(): readonly Problem[] {
    const byCause = Map.groupBy(this.#left, ({ error }) => `${error.code} ${error.message}`);
    return [...byCause.values()].flatMap((list) => {
      const [first] = list;
      if (first === undefined) return [];
      const { code, message, remedy } = first.error;
      const names = namesOf([...new Set(list.map(({ what }) => what))]);
      // What no plugin can use names itself.
      const named = code === "HW_PLUGIN_MISSING" || code === "HW_OPTIONS_INCOMPATIBLE";
      return [{ code, message: named ? message : `${names}: ${message}`, remedy, tolerable: true }];
    });
  }
}
