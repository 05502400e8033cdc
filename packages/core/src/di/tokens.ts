/** Names a part of an instance, with its type. Tokens are compared by name, so that two copies of core agree. */
export interface Token<T> {
  readonly name: string;
  /** Never set: carries the type only. */
  readonly part?: T;
}

export function token<T>(name: string): Token<T> {
  return { name };
}
