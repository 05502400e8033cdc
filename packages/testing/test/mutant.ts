import type { Plugin, ServicePlugin } from "@hostwright/core/plugin";
import { expect, test } from "vitest";
import { failureOf, type AnyType, type Check, type CoreKinds } from "../src/index.ts";

/** A plugin that was broken on purpose, and the promise that it breaks. */
export interface Mutant<P extends Plugin> {
  readonly name: string;
  /** Begins the name of the check that must catch it. */
  readonly caughtBy: string;
  readonly plugin: P;
}

// oxlint-disable-next-line typescript/no-explicit-any -- its options do not matter here
export type AnyService = ServicePlugin<any>;

/** The plugin with another role. */
export function withRole<K extends keyof CoreKinds>(
  plugin: AnyService,
  _kind: K,
  change: (role: CoreKinds[K]) => Partial<CoreKinds[K]>,
): AnyService {
  const services = (plugin.services ?? []).map((service) => {
    const { role } = service;
    return { ...service, role: { ...role, ...change(role as CoreKinds[K]) } };
  });
  return { ...plugin, services };
}

/** The plugin with all its resource types, or those of a name, changed. */
export function withTypes(plugin: AnyService, change: (type: AnyType) => Partial<AnyType>, name?: string): AnyService {
  const types = (plugin.resourceTypes ?? []) as readonly AnyType[];
  return {
    ...plugin,
    resourceTypes: types.map((type) =>
      name === undefined || type.name === name ? { ...type, ...change(type) } : type,
    ),
  };
}

/** Registers a test for each mutant: its check fails on it. Prints which check caught which. */
export function catches<P extends Plugin, Bench>(
  mutants: readonly Mutant<P>[],
  checks: readonly Check<Bench>[],
  bench: (mutant: Mutant<P>, index: number) => Promise<Bench>,
  register: (name: string, work: () => Promise<unknown>) => void = test,
): void {
  for (const [index, mutant] of mutants.entries()) {
    register(mutant.name, async () => {
      const check = checks.find((one) => one.name.startsWith(mutant.caughtBy));
      if (check === undefined) throw new Error(`there is no check "${mutant.caughtBy}"`);
      const failure = await failureOf(check, await bench(mutant, index));
      process.stdout.write(
        `  ${mutant.name}: ${failure === null ? "NOT CAUGHT" : `caught by "${check.name}"`} (${failure ?? ""})\n`,
      );
      expect(failure).not.toBeNull();
    });
  }
}
