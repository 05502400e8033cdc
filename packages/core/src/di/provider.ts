import type { Token } from "./tokens.ts";

/** The parts of one Hostwright instance, each made once, on first use. */
export interface Container {
  get<T>(token: Token<T>): T;
}

export interface Provider<T> {
  readonly token: Token<T>;
  make(container: Container): T;
}

/** Gives an instance a part of its own in place of the default one. */
export function provide<T>(token: Token<T>, make: (container: Container) => T): Provider<T> {
  return { token, make };
}
