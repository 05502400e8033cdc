/** Names a part of an instance, with its type. Tokens are compared by name, so that two copies of core agree. */
export interface Token<T> {
  readonly name: string;
  /** Never set: carries the type only. */
  readonly part?: T;
}

/** The parts of one Hostwright instance, each made once, on first use. */
export interface Container {
  get<T>(token: Token<T>): T;
}

/** How a part is made, in place of the default one. */
export interface Provider<T> {
  readonly token: Token<T>;
  make(container: Container): T;
}
