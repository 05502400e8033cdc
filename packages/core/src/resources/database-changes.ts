import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Change, Target } from "../contracts/resource.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Sql } from "../model/sql.ts";
import { databaseError } from "./database-error.ts";
import type { DatabaseResource } from "./database-resource.ts";
import {
  databaseSession,
  openSession,
  StatementFailed,
  type DatabaseDriver,
  type DatabaseSession,
} from "./database-session.ts";

type Changed<State, Session extends DatabaseSession> = Pick<
  DatabaseResource<never, State, Session>,
  "driver" | "what" | "states" | "identity" | "statements"
>;

interface Step {
  readonly key: string;
  readonly database: string | null;
  readonly statement: Sql;
}

const LOCK_SECONDS = 60;
const LOCK_PAUSE_MS = 250;

/** The changes of one apply, at least one. */
export async function applyLocked<State, Session extends DatabaseSession>(
  target: Target,
  resource: Changed<State, Session>,
  changes: readonly Change<State>[],
): Promise<void> {
  const { driver, what } = resource;
  const session = await databaseSession(target, driver);
  const { release } = await lock(target, resource, session);
  try {
    // Asked for inside the lock: a later holder of the lease, having raised it, waits for the lock.
    await fence(target);
    const keys = changes.map((change) => change.key);
    const present = await resource.states(session, keys).catch((error: unknown) => {
      throw databaseError(target.server.name, driver, error, `reading ${what}s`);
    });
    for (const change of changes) assertUnchanged(target, resource, change, present.get(change.key) ?? null);
    await runSteps(
      target,
      resource,
      session,
      changes.flatMap((change) =>
        resource
          .statements(change, session)
          .map((one): Step =>
            typeof one === "string" ? { key: change.key, database: null, statement: one } : { key: change.key, ...one },
          ),
      ),
    );
    const unsynced = driver.unsynced(session);
    if (unsynced !== null) await target.mutate({ script: 'sync -f -- "$1"', args: [unsynced] });
  } finally {
    // A session that is lost has lost its lock too.
    if (session.alive) await session.query(release).catch(() => undefined);
  }
}

/**
 * Whoever waits and finds that an earlier holder of its own scope has the lock (a worker that was stopped, or is cut off)
 * ends that session. It was shut out by the fence before.
 */
async function lock<State, Session extends DatabaseSession>(
  target: Target,
  { driver }: Changed<State, Session>,
  session: Session,
): Promise<{ readonly release: Sql }> {
  const { name } = target.server;
  const { take, endEarlier, release } = driver.lock(target.scope);
  const until = performance.now() + LOCK_SECONDS * 1000;
  while (performance.now() < until) {
    assertWanted(target, "Nothing was changed");
    const [row] = await session.query(take).catch((error: unknown) => {
      throw databaseError(name, driver, error, "asking for its lock");
    });
    if (Number(row?.["got"]) === 1) return { release };
    await fence(target);
    // It may have ended by itself meanwhile.
    await session.query(endEarlier).catch(() => undefined);
    await delay(LOCK_PAUSE_MS);
  }
  const message = `Another worker has been changing databases on ${name} for ${LOCK_SECONDS} s. Nothing was changed.`;
  throw new HostwrightError("HW_DATABASE_FAILED", message, { server: name, retryable: true });
}

function assertWanted({ server, signal }: Target, state: string): void {
  if (!signal.aborted) return;
  const message = `The work on the databases of ${server.name} was cancelled. ${state}.`;
  throw new HostwrightError("HW_CANCELLED", message, { server: server.name });
}

async function fence(target: Target): Promise<void> {
  const { exitCode, stderr } = await target.mutate({ script: ":" });
  if (exitCode === 0) return;
  assertWanted(target, "Nothing was changed");
  const { name } = target.server;
  const message = `The task's lease could not be checked on ${name}. Nothing was changed.`;
  // Retryable: such as on a server that is shutting down.
  const details = { server: name, retryable: true, output: stderr.slice(0, 2000) };
  throw new HostwrightError("HW_COMMAND_FAILED", message, details);
}

function assertUnchanged<State, Session extends DatabaseSession>(
  target: Target,
  { what, identity }: Changed<State, Session>,
  { before, key }: Change<State>,
  present: State | null,
): void {
  const known = (state: State | null): unknown => (state === null ? null : identity(state));
  if (isDeepStrictEqual(known(before), known(present))) return;
  const how = present === null ? "is gone" : before === null ? "exists already" : "is not as it was read";
  throw changed(target, what, key, `${how}. Nothing was changed`);
}

async function runSteps<State, Session extends DatabaseSession>(
  target: Target,
  { driver, what }: Changed<State, Session>,
  session: Session,
  steps: readonly Step[],
): Promise<void> {
  for (let from = 0; from < steps.length;) {
    // What was begun of one thing is ended: half of it is neither what it was nor what it is to be.
    if (steps[from]?.key !== steps[from - 1]?.key)
      assertWanted(target, from === 0 ? "Nothing was changed" : "A part is done");
    const database = steps[from]?.database ?? null;
    const elsewhere = steps.findIndex((step, index) => index > from && step.database !== database);
    const batch = steps.slice(from, Math.min(from + driver.batch, elsewhere === -1 ? steps.length : elsewhere));
    const statements = batch.map(({ statement }) => statement);
    await runIn(target, driver, session, database, statements).catch((error: unknown) => {
      const [index, cause] = error instanceof StatementFailed ? [error.index, error.cause] : [0, error];
      const key = batch[index]?.key ?? "(unknown)";
      const kind = driver.explain(cause).kind;
      // Somebody who does not take the lock was quicker.
      if (kind === "exists")
        throw changed(target, what, key, "was made by somebody else meanwhile. It was left as it is");
      if (kind === "missing") throw changed(target, what, key, "is gone meanwhile");
      throw databaseError(target.server.name, driver, cause, `changing the ${what} ${key}`);
    });
    from += batch.length;
  }
}

async function runIn<Session extends DatabaseSession>(
  target: Target,
  driver: DatabaseDriver<Session>,
  session: Session,
  database: string | null,
  statements: readonly Sql[],
): Promise<void> {
  if (database === null) return session.run(statements);
  const elsewhere = await openSession(target, driver, database);
  try {
    await elsewhere.run(statements);
  } finally {
    await elsewhere.close();
  }
}

function changed({ server: { name } }: Target, what: string, key: string, how: string): HostwrightError {
  const message = `The ${what} ${key} on ${name} ${how}.`;
  return new HostwrightError("HW_RESOURCE_CHANGED", message, { server: name, data: { key } });
}
