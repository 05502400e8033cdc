import { HostwrightError, type Change, type Target } from "@hostwright/core";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Client } from "./client.ts";
import { ALREADY_EXISTS, databaseError, NOT_THERE } from "./errors.ts";
import { sql } from "./quote.ts";

/** What differs between databases and roles when they are changed. */
export interface Changer<State> {
  /** `database`, for people. */
  readonly what: string;
  read(client: Client, keys: readonly string[]): Promise<Map<string, State>>;
  identity(state: State): unknown;
  change(client: Client, change: Change<State>): Promise<void>;
}

/** Of all that change databases by Hostwright, whatever the installation. */
const LOCK = sql`SELECT pg_try_advisory_lock(hashtext('hostwright')) AS got`;
const UNLOCK = sql`SELECT pg_advisory_unlock(hashtext('hostwright'))`;
const LOCK_TRIES = 60;
const LOCK_PAUSE_MS = 1_000;

/** Sessions are named by the lease's scope: one of the same scope is an earlier holder's. */
const END_EARLIER = sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid() AND pid IN (
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
      AND (classid::bigint << 32 | objid::bigint) = (hashtext('hostwright')::bigint)
  )`;

/**
 * Compare-and-set: under one lock of the database server, and only while this task's lease holds, what is still as it was
 * read is changed. Nothing is begun when anything differs.
 * @throws HW_RESOURCE_CHANGED, HW_LEASE_LOST, HW_COMMAND_FAILED, HW_CANCELLED, HW_DATABASE_UNREACHABLE, HW_DATABASE_FAILED
 */
export async function applyChanges<State>(
  target: Target,
  client: Client,
  changes: readonly Change<State>[],
  changer: Changer<State>,
): Promise<void> {
  if (changes.length === 0) return;
  await lock(target, client);
  try {
    // Asked for inside the lock: a later holder of the lease, having raised it, waits for the lock.
    await fence(target);
    const keys = changes.map((change) => change.key);
    const present = await changer.read(client, keys);
    for (const change of changes) assertUnchanged(target, changer, change, present.get(change.key) ?? null);
    for (const change of changes) {
      assertWanted(target, "A part may be done");
      await changer.change(client, change).catch((error: unknown) => {
        throw failure(target, changer.what, change.key, error);
      });
    }
  } finally {
    // A session that is lost has lost its lock too.
    if (client.alive) await client.query(UNLOCK, "giving its lock back").catch(() => undefined);
  }
}

/**
 * Whoever waits and finds that an earlier holder of its own scope has the lock (a worker that was stopped, or is cut off)
 * ends that session. It was shut out by the fence before.
 */
async function lock(target: Target, client: Client): Promise<void> {
  for (let tries = 0; tries < LOCK_TRIES; tries += 1) {
    assertWanted(target, "Nothing was changed");
    const [row] = await client.query(LOCK, "asking for its lock");
    if (row?.["got"] === true) return;
    await fence(target);
    await client.query(END_EARLIER, "ending an earlier session");
    await delay(LOCK_PAUSE_MS);
  }
  const { name } = target.server;
  const message = `Another worker has been changing databases on ${name} for a minute. Nothing was changed.`;
  throw new HostwrightError("HW_DATABASE_FAILED", message, { server: name, retryable: true });
}

function assertWanted({ server, signal }: Target, state: string): void {
  if (!signal.aborted) return;
  const message = `The work on the databases of ${server.name} was cancelled. ${state}.`;
  throw new HostwrightError("HW_CANCELLED", message, { server: server.name });
}

async function fence(target: Target): Promise<void> {
  const { exitCode, stderr } = await target.mutate({ script: ":" });
  assertWanted(target, "Nothing was changed");
  if (exitCode === 0) return;
  const { name } = target.server;
  const message = `The task's lease could not be checked on ${name}. Nothing was changed.`;
  throw new HostwrightError("HW_COMMAND_FAILED", message, {
    server: name,
    retryable: true,
    output: stderr.slice(0, 2000),
  });
}

function assertUnchanged<State>(
  target: Target,
  changer: Changer<State>,
  { before, key }: Change<State>,
  present: State | null,
): void {
  const identity = (state: State | null): unknown => (state === null ? null : changer.identity(state));
  if (isDeepStrictEqual(identity(before), identity(present))) return;
  const how = present === null ? "is gone" : before === null ? "exists already" : "is not as it was read";
  throw changed(target, changer.what, key, `${how}. Nothing was changed`);
}

function failure(target: Target, what: string, key: string, error: unknown): HostwrightError {
  const { code = "" } = error as { readonly code?: string };
  // Somebody who does not take the lock was quicker.
  if (ALREADY_EXISTS.has(code)) return changed(target, what, key, "was made by somebody else meanwhile");
  if (NOT_THERE.has(code)) return changed(target, what, key, "is gone meanwhile");
  return databaseError(target.server.name, error, `changing the ${what} ${key}`);
}

function changed(target: Target, what: string, key: string, how: string): HostwrightError {
  const { name } = target.server;
  const message = `The ${what} ${key} on ${name} ${how}.`;
  return new HostwrightError("HW_RESOURCE_CHANGED", message, { server: name, data: { key } });
}
