import "reflect-metadata";
import { container as root, instanceCachingFactory, type DependencyContainer } from "tsyringe";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Container, Provider } from "./provider.ts";
import type { Token } from "./tokens.ts";

/**
 * The only file that knows tsyringe: it hides what that library does silently (unregistered classes, double
 * registration, weak disposal).
 */
export class InstanceContainer implements Container {
  readonly #inner: DependencyContainer = root.createChildContainer();
  readonly #known = new Set<string>();

  /** Registers defaults, then the application's own parts, which replace defaults of the same token. */
  constructor(defaults: readonly Provider<unknown>[], own: readonly Provider<unknown>[] = []) {
    const chosen = new Map<string, Provider<unknown>>();
    for (const provider of defaults) {
      if (chosen.has(provider.token.name)) throw this.#error(`two defaults for "${provider.token.name}"`);
      chosen.set(provider.token.name, provider);
    }
    const replaced = new Set<string>();
    for (const provider of own) {
      const { name } = provider.token;
      if (replaced.has(name)) throw this.#error(`"${name}" is provided twice; provide it once`);
      if (!chosen.has(name))
        throw this.#error(`there is no part named "${name}"; parts: ${[...chosen.keys()].join(", ")}`);
      replaced.add(name);
      chosen.set(name, provider);
    }
    for (const [name, provider] of chosen) {
      this.#known.add(name);
      this.#inner.register(name, { useFactory: instanceCachingFactory(() => provider.make(this)) });
    }
  }

  get<T>(token: Token<T>): T {
    if (!this.#known.has(token.name)) throw this.#error(`there is no part named "${token.name}"`);
    return this.#inner.resolve<T>(token.name);
  }

  #error(message: string): HostwrightError {
    return new HostwrightError("HW_PLUGIN_INVALID", `createHostwright: ${message}.`);
  }
}
