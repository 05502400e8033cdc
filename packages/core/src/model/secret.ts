import { inspect } from "node:util";

const HIDDEN = "[secret]";

/** A value that never prints: not in logs, JSON, errors or inspections. `reveal()` is the only way to it. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  static {
    Object.defineProperty(this.prototype, inspect.custom, { value: () => HIDDEN });
  }
}

/** Marks a string as a secret, for options and connection settings. */
export function secret(value: string): Secret {
  return new Secret(value);
}
