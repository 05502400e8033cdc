import "reflect-metadata";
import { container as root, instanceCachingFactory, type DependencyContainer } from "tsyringe";
import type { Container, Provider, Token } from "../contracts/part.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";

/** Whose parts these are, for who reads an error. */
export interface PartsOf {
  readonly name: string;
  readonly parts?: readonly Provider<unknown>[];
}

/**
 * The only file that knows tsyringe: it hides what that library does silently (unregistered classes, double
 * registration, weak disposal).
 */
export class InstanceContainer implements Container {
  readonly #inner: DependencyContainer = root.createChildContainer();
  readonly #known = new Set<string>();
  readonly #making = new Set<string>();

  /** A plugin's part takes the place of the default of the same token, and the application's own the place of both. */
  constructor(
    defaults: readonly Provider<unknown>[],
    own: readonly Provider<unknown>[] = [],
    plugins: readonly PartsOf[] = [],
  ) {
    const chosen = new Map<string, Provider<unknown>>();
    for (const provider of defaults) {
      if (chosen.has(provider.token.name)) throw this.#error(`two defaults for "${provider.token.name}"`);
      chosen.set(provider.token.name, provider);
    }
    const known = [...chosen.keys()];
    const replaced = new Map<string, string>();
    for (const { name: by, parts = [] } of [{ name: "provide", parts: own }, ...plugins]) {
      for (const provider of parts) {
        const { name } = provider.token;
        if (!known.includes(name)) throw this.#error(`there is no part named "${name}"; parts: ${known.join(", ")}`);
        const other = replaced.get(name);
        if (other === by) throw this.#error(`"${name}" is provided twice by ${by}; provide it once`);
        // What the application says settles what plugins disagree about.
        if (other === "provide") continue;
        if (other !== undefined)
          throw this.#error(`"${name}" is provided by ${other} and by ${by}; choose with provide`);
        replaced.set(name, by);
        chosen.set(name, provider);
      }
    }
    for (const [name, provider] of chosen) {
      this.#known.add(name);
      this.#inner.register(name, { useFactory: instanceCachingFactory(() => this.#make(name, provider)) });
    }
  }

  /** A part that is there only after others have been asked for. */
  hold<T>(token: Token<T>, part: T): void {
    this.#known.add(token.name);
    this.#inner.register(token.name, { useValue: part });
  }

  get<T>(token: Token<T>): T {
    if (!this.#known.has(token.name)) throw this.#error(`there is no part named "${token.name}"`);
    return this.#inner.resolve<T>(token.name);
  }

  #make(name: string, provider: Provider<unknown>): unknown {
    if (this.#making.has(name)) throw this.#error(`"${name}" is made of itself: ${[...this.#making, name].join(", ")}`);
    this.#making.add(name);
    try {
      return provider.make(this);
    } finally {
      this.#making.delete(name);
    }
  }

  #error(message: string): HostwrightError {
    return new HostwrightError("HW_PLUGIN_INVALID", `createHostwright: ${message}.`);
  }
}
