import { isHostwrightError, type Declared } from "@hostwright/core/plugin";
import { strict as assert } from "node:assert";
import type { TestedHost } from "../hosts/host.ts";
import { openTarget, secretOf, type OpenTarget, type TargetOptions } from "./target.ts";
import type { WatchedServer } from "../hosts/watched-server.ts";
import { Work, type AnyType, type Compared } from "./work.ts";

/** What somebody else does to things that stand: a shell script run as root, past the plugin. */
export interface Drift {
  readonly what: string;
  readonly script: string;
}

/** Things of a plugin's types, as its role declares them, on a bench. */
export interface ResourceBench {
  readonly host: TestedHost;
  readonly types: readonly AnyType[];
  readonly serviceOptions: Readonly<Record<string, unknown>>;
  /** Another name at every call: of things that do not stand yet. */
  newId(): string;
  /** What is declared under a name. */
  sample(id: string): readonly Declared[];
  readonly drifts: (id: string) => readonly Drift[];
  /** All that stands on the host of the kind that the plugin makes, as text; read past the plugin. */
  snapshot(): Promise<string>;
  /** Shell script that prints the logs of the service. */
  readonly logs: string;
}

export const OTHER_SECRET = (reference: Parameters<typeof secretOf>[0]): string => `${secretOf(reference)}-renewed`;

/** Work on the bench with a target of its own, closed behind it. */
export async function working<T>(
  bench: ResourceBench,
  use: (work: Work, target: OpenTarget) => Promise<T>,
  options: TargetOptions = {},
  server: WatchedServer | TestedHost["server"] = bench.host.server,
): Promise<T> {
  await using target = openTarget(server, { serviceOptions: bench.serviceOptions, ...options });
  return await use(new Work(target, bench.types), target);
}

/** With things of a new name standing, which are taken away in the end. */
export async function standing(bench: ResourceBench, use: (id: string, work: Work) => Promise<void>): Promise<void> {
  const id = bench.newId();
  await working(bench, async (work) => {
    await work.ensure(bench.sample(id));
    try {
      await use(id, work);
    } finally {
      await work.remove(bench.sample(id));
    }
  });
}

export async function rejection(what: string, work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: `${what}: it was done, and should have been refused` });
}

/** @throws Error when the work hangs */
export async function within<T>(what: string, work: Promise<T>, ms = 30_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}, it was not told in ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

export function assertCode(error: unknown, code: string): void {
  assert.ok(isHostwrightError(error) && error.code === code, `expected ${code}, got ${String(error)}`);
}

/** Those of the plugin's own types: core's are tested with core. */
export function own(bench: ResourceBench, all: readonly Compared[]): readonly Compared[] {
  return all.filter(({ type }) => bench.types.includes(type));
}
