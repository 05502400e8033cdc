import type { Token } from "../contracts/part.ts";

export function token<T>(name: string): Token<T> {
  return { name };
}
