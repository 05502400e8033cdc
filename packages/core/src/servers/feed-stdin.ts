import { finished, type Readable, type Writable } from "node:stream";

/**
 * Gives a command its input at the pace at which it reads. A command that stops reading early is free to: what is left
 * is dropped and the source is closed. A source that breaks off is reported, and never looks like a complete one.
 */
export function feedStdin(
  stdin: Writable,
  source: string | Uint8Array | Readable,
  onBroken: (cause: Error) => void,
): () => void {
  // The command's own result says what became of it; a broken pipe says nothing more.
  stdin.on("error", () => {});
  if (typeof source === "string" || source instanceof Uint8Array) {
    stdin.end(source);
    return () => {};
  }
  let over = false;
  finished(source, { writable: false }, (error) => {
    if (error && !over) onBroken(error);
  });
  source.pipe(stdin);
  return () => {
    over = true;
    source.unpipe(stdin);
    source.destroy();
  };
}
