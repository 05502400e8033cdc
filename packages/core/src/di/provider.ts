import type { Container, Provider, Token } from "../contracts/part.ts";

/** Gives an instance a part of its own in place of the default one. */
export function provide<T>(token: Token<T>, make: (container: Container) => T): Provider<T> {
  return { token, make };
}
