/** Milliseconds that one turn of the host's event loop is worked for; far below what its other work would notice. */
const TURN_MS = 8;

const waiting: (() => void)[] = [];
let turned = 0;

/**
 * Called again and again by what works long without waiting for anything, such as the planning of a server with a thousand
 * sites: once a turn of the event loop was used up, it waits for the next one (decisions.md D54). Of many that wait, each
 * gets a turn of its own. Null: go on.
 */
export function breathe(): Promise<void> | null {
  if (performance.now() - turned < TURN_MS) return null;
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(turn);
  });
}

function turn(): void {
  turned = performance.now();
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(turn);
}

/** As `map`, breathing between the items. */
export async function mapSlowly<T, R>(items: Iterable<T>, work: (item: T) => R): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) {
    const pause = breathe();
    if (pause !== null) await pause;
    results.push(work(item));
  }
  return results;
}

const FEW = 100;

/** As `map`, breathing after each hundred: a few are not worth a turn of the event loop, in which others go on. */
export async function mapMany<T, R>(items: Iterable<T>, work: (item: T) => R): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) {
    const pause = results.length > 0 && results.length % FEW === 0 ? breathe() : null;
    if (pause !== null) await pause;
    results.push(work(item));
  }
  return results;
}

/** As `filter`. */
export async function filterSlowly<T>(items: Iterable<T>, test: (item: T) => boolean): Promise<T[]> {
  return (await mapSlowly(items, (item) => (test(item) ? [item] : []))).flat();
}
