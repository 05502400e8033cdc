import { createInterface } from "node:readline";

/** The process's side of a `WorkerPack`: its order, then what more it is told, a line each, until it is to end. */
export async function readOrder(): Promise<{ readonly order: unknown; readonly lines: AsyncIterable<string> }> {
  const lines = createInterface({ input: process.stdin });
  const reading = lines[Symbol.asyncIterator]();
  const { value, done } = await reading.next();
  // Whoever started it is gone.
  if (done === true || value === undefined) process.exit(0);
  return { order: JSON.parse(value) as unknown, lines: { [Symbol.asyncIterator]: () => reading } };
}
