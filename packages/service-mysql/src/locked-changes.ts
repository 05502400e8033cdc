import { HostwrightError, type Change, type Target } from "@hostwright/core";
import { isDeepStrictEqual } from "node:util";
import type { Client } from "./client.ts";
import { ALREADY_EXISTS, databaseError, NOT_THERE } from "./errors.ts";
import { count, literal, sql, type Sql } from "./quote.ts";
import { StatementFailed, type Session } from "./session.ts";

/** What differs between databases and accounts when they are changed. */
export interface Changer<State> {
  /** `database`, for people. */
  readonly what: string;
  read(session: Session, keys: readonly string[]): Promise<Map<string, State>>;
  identity(state: State): unknown;
  statements(change: Change<State>): readonly Sql[];
}

interface Step {
  readonly key: string;
  readonly statement: Sql;
}

/** A packet's worth: small enough that a cancelled task ends within a second, big enough that round trips don't count. */
const STATEMENTS_A_PACKET = 200;
const LOCK_SECONDS = 60;

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
  const session = await client.session();
  const folder = await lock(session, target);
  try {
    // Asked for inside the lock: a later holder of the lease, having raised it, waits for the lock.
    await fence(target);
    const present = await changer.read(
      session,
      changes.map((change) => change.key),
    );
    for (const change of changes) assertUnchanged(target, changer, change, present.get(change.key) ?? null);
    await runSteps(
      session,
      target,
      changer.what,
      changes.flatMap((change) =>
        changer.statements(change).map((statement): Step => ({ key: change.key, statement })),
      ),
    );
    // A database's defaults are a file that the server does not sync (decisions.md D10).
    await target.mutate({ script: 'sync -f -- "$1"', args: [folder] });
  } finally {
    await unlock(session);
  }
}

/**
 * One lock for all, and one named by the lease's scope: whoever waits for the first and finds that an earlier holder of its
 * own scope has it (a worker that was stopped, or is cut off) ends that session. It was shut out by the fence before.
 */
async function lock(session: Session, target: Target): Promise<string> {
  const own = literal(`hostwright ${target.scope}`);
  for (let waited = 0; waited < LOCK_SECONDS; waited += 1) {
    assertWanted(target, "Nothing was changed");
    const [row] = await session.query(
      sql`SELECT IF(GET_LOCK('hostwright', 1) = 1, 1 + 0 * IFNULL(GET_LOCK(${own}, 0), 0), 0) AS got, @@datadir AS datadir`,
      "waiting for its lock",
    );
    if (Number(row?.["got"]) === 1) return String(row?.["datadir"]);
    await fence(target);
    await endEarlier(session, own);
  }
  throw new HostwrightError(
    "HW_DATABASE_FAILED",
    `Another worker has been changing databases on ${target.server.name} for ${LOCK_SECONDS} s. Nothing was changed.`,
    {
      server: target.server.name,
      retryable: true,
      mend: "Try again; if it stays so: SELECT IS_USED_LOCK('hostwright') names the session that holds it.",
    },
  );
}

async function endEarlier(session: Session, own: Sql): Promise<void> {
  const [row] = await session.query(
    sql`SELECT IS_USED_LOCK('hostwright') AS holder, IS_USED_LOCK(${own}) AS earlier`,
    "looking who holds its lock",
  );
  const { holder, earlier } = row ?? {};
  if (holder === null || holder === undefined || Number(holder) !== Number(earlier)) return;
  // It may have ended by itself meanwhile.
  await session
    .query(sql`KILL CONNECTION ${count(Number(earlier))}`, "ending an earlier session")
    .catch(() => undefined);
}

function assertWanted({ server, signal }: Target, state: string): void {
  if (!signal.aborted) return;
  throw new HostwrightError("HW_CANCELLED", `The work on the databases of ${server.name} was cancelled. ${state}.`, {
    server: server.name,
  });
}

async function unlock(session: Session): Promise<void> {
  // A session that is lost has lost its lock too.
  if (session.alive)
    await session.query(sql`SELECT RELEASE_ALL_LOCKS()`, "giving its locks back").catch(() => undefined);
}

async function fence(target: Target): Promise<void> {
  const { exitCode, stderr } = await target.mutate({ script: ":" });
  if (exitCode === 0) return;
  assertWanted(target, "Nothing was changed");
  throw new HostwrightError(
    "HW_COMMAND_FAILED",
    `The task's lease could not be checked on ${target.server.name}. Nothing was changed.`,
    {
      server: target.server.name,
      // Such as one that is shutting down.
      retryable: true,
      output: stderr.slice(0, 2000),
    },
  );
}

function assertUnchanged<State>(
  target: Target,
  changer: Changer<State>,
  change: Change<State>,
  present: State | null,
): void {
  const { before, key } = change;
  if (
    before === null
      ? present === null
      : present !== null && isDeepStrictEqual(changer.identity(before), changer.identity(present))
  )
    return;
  const how = present === null ? "is gone" : before === null ? "exists already" : "is not as it was read";
  throw changed(target, changer.what, key, `${how}. Nothing was changed`);
}

async function runSteps(session: Session, target: Target, what: string, steps: readonly Step[]): Promise<void> {
  for (let from = 0; from < steps.length; from += STATEMENTS_A_PACKET) {
    assertWanted(target, from === 0 ? "Nothing was changed" : "A part is done");
    const packet = steps.slice(from, from + STATEMENTS_A_PACKET);
    try {
      await session.run(packet.map((step) => step.statement));
    } catch (error) {
      throw failure(target, what, packet, error);
    }
  }
}

function failure(target: Target, what: string, packet: readonly Step[], error: unknown): HostwrightError {
  const { name } = target.server;
  if (!(error instanceof StatementFailed)) return databaseError(name, error, `changing ${what}s`);
  const key = packet[error.index]?.key ?? "(unknown)";
  // Somebody who does not take the lock was quicker.
  if (ALREADY_EXISTS.has(error.errno))
    return changed(target, what, key, "was made or removed by somebody else meanwhile. It was left as it is");
  if (NOT_THERE.has(error.errno)) return changed(target, what, key, "is gone meanwhile");
  return databaseError(name, error.cause, `changing the ${what} ${key}`);
}

function changed(target: Target, what: string, key: string, how: string): HostwrightError {
  const { name } = target.server;
  return new HostwrightError("HW_RESOURCE_CHANGED", `The ${what} ${key} on ${name} ${how}.`, {
    server: name,
    data: { key },
  });
}
