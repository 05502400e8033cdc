/** Its worker is closing: the task is left as the journal has it, for the next one (decisions.md D39). No failure. */
export class HandedOver extends Error {
  constructor() {
    super("the task is handed over");
  }
}

/** @throws HandedOver */
export function throwIfClosing(closing: AbortSignal): void {
  if (closing.aborted) throw new HandedOver();
}
