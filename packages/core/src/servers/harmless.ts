import type { Duplex, Readable } from "node:stream";

/**
 * A stream whose failure, when nobody listens yet or any longer, does not end the process: whoever uses it is told all the
 * same. For every stream of a connection, where it is made.
 */
export function harmless<T extends Duplex | Readable>(stream: T): T {
  stream.on("error", () => {});
  return stream;
}
