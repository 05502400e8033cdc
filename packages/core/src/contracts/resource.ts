import type * as z from "zod";
import type { Guard } from "./guard.ts";
import type { Secret } from "../model/secret.ts";
import type { Resolve } from "../model/text.ts";
import type { CommandResult, Script, Server } from "../model/server.ts";

/** A thing that a service or platform wants to stand on a server. */
export interface Declared {
  readonly type: string;
  readonly spec: unknown;
  /** Declared alike by several owners, goes with the last of them. Default false: one owner only. */
  readonly shared?: boolean;
}

/**
 * What a resource type works on: a machine, or an API without one, with connections that live as long as the work. No fence
 * reaches an API: what changes things there does so by the API's own conditional requests (decisions.md D12).
 */
export interface Target {
  readonly server: Server;
  /** Of an API without a machine, as they were put on its record; null of a machine. */
  readonly credentials: Secret | null;
  readonly signal: AbortSignal;
  /**
   * Scope of the lease that this work is done under, `site/s7k2m9xq4t`; empty while planning. Names sessions and locks where
   * the fence cannot reach, so that those of an earlier holder can be found and ended (decisions.md D6, D12).
   */
  readonly scope: string;
  /** Secrets by reference, in memory only. */
  readonly resolve: Resolve;
  /** Options of the service that brought the resource type, where it has one on this server. */
  serviceOptions(type: string): unknown;
  /** A connection opened once for this target and closed by its owner (a database client). */
  connection<T>(key: string, open: () => Promise<T>, close: (connection: T) => Promise<void>): Promise<T>;
  /** Runs a script that changes the server: under the server's flock, and only while this task's lease holds (decisions.md D12). */
  mutate(script: Script): Promise<CommandResult>;
}

/** One change, both ways: `null` is absence. Undo is the same change with the sides swapped. */
export interface Change<State = unknown> {
  readonly key: string;
  readonly before: State | null;
  readonly after: State | null;
}

/**
 * What happens to a thing when nobody declares it any longer:
 * `delete` removes it in the task that dropped it; `clean-up` only in a delete task or clean-up (databases, trees, users).
 */
export type Removal = "delete" | "clean-up";

/**
 * A kind of thing with a state that can be read, compared and set (decisions.md D17).
 * Reading is bulk: one round trip however many keys. Core diffs, journals and undoes.
 */
export interface ResourceType<Spec = never, State = never> {
  readonly name: string;
  /**
   * Plans hold specs and journals prior states, and newer code may have to finish them: `key`, `desired`, `identity` and
   * `apply` take those of earlier versions too. Raised (default 1) only where that cannot be: unfinished tasks of another
   * number then wait for a worker that has it, untouched (decisions.md D4).
   */
  readonly version?: number;
  readonly schema: z.ZodType<Spec>;
  /** Order of types: lower is made earlier and removed later. See RANK. */
  readonly rank: number;
  readonly removal: Removal;
  /** Address on its server: a path, `user@host` ... */
  key(spec: Spec): string;
  /** Order within the type: keys are applied ascending and removed descending by it. Default: the key itself. */
  order?(key: string): string;
  /** The state that the spec asks for. In memory only: it may hold secrets. */
  desired(spec: Spec, resolve: Resolve): State;
  /**
   * Present states by key; an absent thing is absent from the map. `contents` asks also for what undo needs to bring it
   * back (a file's bytes); without it only what comparing needs is read.
   */
  read(target: Target, keys: readonly string[], options: { readonly contents: boolean }): Promise<Map<string, State>>;
  /** What counts when states are compared, as plain JSON without contents. Core hashes it with a key of the store. */
  identity(state: State): unknown;
  /** Is the present state good enough? Default: equal identities. */
  satisfies?(desired: State, present: State): boolean;
  /** What must hold where it is made anew, checked at planning and right before its action. Default: nothing. */
  guards?(spec: Spec): readonly Guard[];
  /**
   * Does a change of something else make this one out of date (a unit by its file)? Then it is planned as a change too, and
   * read again when its turn comes. Default: never.
   */
  refreshedBy?(key: string, other: { readonly type: string; readonly key: string }): boolean;
  /**
   * Makes the changes, all as one stream. Compare-and-set on the server: whatever is no longer `before` is left alone. At an
   * API this is all that keeps a worker that lost its task from changing what a later one made.
   * @throws HW_RESOURCE_CHANGED naming the key; what was already applied stays and is undone by the engine.
   */
  apply(target: Target, changes: readonly Change<State>[]): Promise<void>;
  /**
   * Removes what an `apply` that was stopped half way may have left beside these things, which themselves stay as they are.
   * The undo of an action without outcome asks for it. Default: `apply` leaves nothing beside.
   */
  clear?(target: Target, keys: readonly string[]): Promise<void>;
  /** Lines a person reads in a diff. Never secrets: references by label. */
  showSpec(spec: Spec): string;
  /**
   * The same of a state. `spec` is what is declared for the thing: a state alone cannot tell whether its contents are
   * public, so that without a spec, or with a sensitive one, they are not shown (decisions.md D11).
   */
  showState(state: State, spec?: Spec): string;
}

// oxlint-disable-next-line typescript/no-explicit-any -- each type has its own spec and state; core passes them through
export type AnyResourceType = ResourceType<any, any>;
