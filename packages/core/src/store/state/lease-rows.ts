import type { Lease, LeaseRequest, TaskState } from "../../contracts/store.ts";
import type { ReadRows, Rows } from "../../contracts/store/tables.ts";
import type { HolderWatch } from "../holder-watch.ts";
import type { StandingLease, Waiting } from "../lease-rules.ts";
import { LEASES } from "../tables/leases.ts";
import { TASKS, type TaskRow } from "../tables/tasks.ts";
import { nextNumber, TOKENS } from "./counters.ts";
import { pagesOf } from "./pages.ts";

type LineRow = Pick<TaskRow, "id" | "state" | "seq" | "subject" | "waits">;

const LINE = ["id", "state", "seq", "subject", "waits"] as const;
/** Read at once, where mostly one is wanted; and how much more when none of these was it, before all are asked for. */
const [FEW, MORE, MANY] = [16, 128, 1_024] as const;
/** Of a task that ended without a worker. */
const LIFE_MS = 60_000;

/** A task with its place. */
export interface Placed {
  readonly task: string;
  readonly place: number;
  readonly state: TaskState;
  readonly subject: string | null;
  /** What it waits for; null when it is not in line. */
  readonly scopes: readonly LeaseRequest[] | null;
}

export async function standingLeases(
  rows: ReadRows,
  watch: Pick<HolderWatch, "dead">,
): Promise<readonly StandingLease[]> {
  const leases = await rows.list(LEASES, {});
  const ids = [...new Set(leases.map(({ task }) => task))].map((id) => ({ id }));
  const tasks = await rows.get(TASKS, ids, ["id", "state"]);
  const states = new Map(tasks.flatMap((task) => (task === undefined ? [] : [[task.id, task.state]])));
  const dead = watch.dead(leases);
  return leases.map((lease) => ({ lease, state: states.get(lease.task) ?? null, dead: dead.has(lease) }));
}

interface Part {
  /** Of those that were submitted before this place at least. Default: of all. */
  readonly before?: number;
  /** The heads among the first few are enough. Default: never. */
  readonly isEnough?: (heads: readonly Waiting[]) => boolean;
}

/** The first task in line of each subject, in the order of submission. */
export async function headsOfLine(
  rows: ReadRows,
  except: ReadonlySet<string>,
  { before, isEnough }: Part = {},
): Promise<readonly Waiting[]> {
  const part = { by: "waiting", ...(before === undefined ? {} : { before: { seq: before } }), columns: LINE };
  for (const limit of isEnough === undefined ? [FEW] : [FEW, MORE, MANY]) {
    const front = await rows.list(TASKS, { ...part, limit });
    const heads = headsAmong(front, except);
    if (front.length < limit || isEnough?.(heads) === true) return heads;
  }
  const first = await rows.list(TASKS, { by: "line", each: "subject", columns: LINE });
  const heads = first.filter(({ id }) => !except.has(id));
  for (const { subject, seq } of first.filter(({ id }) => except.has(id))) {
    const behind = { by: "line", of: [{ subject }], after: { seq }, columns: LINE };
    for await (const page of pagesOf(rows, TASKS, behind, (row) => ({ seq: row.seq }), FEW)) {
      const next = page.find(({ id }) => !except.has(id));
      if (next === undefined) continue;
      heads.push(next);
      break;
    }
  }
  return heads.map(parse).toSorted((a, b) => a.place - b.place);
}

/** Of rows in the order of submission. */
function headsAmong(front: readonly LineRow[], except: ReadonlySet<string>): readonly Waiting[] {
  const heads = new Map<string, LineRow>();
  for (const row of front)
    if (row.subject !== null && !except.has(row.id) && !heads.has(row.subject)) heads.set(row.subject, row);
  return [...heads.values()].map(parse);
}

/**
 * The heads of all subjects, and the tasks in front of this one that have its own subject. Of one that has no lease, which
 * nobody can wait for, it may be without what is behind it.
 */
export async function lineBefore(
  rows: ReadRows,
  task: Placed | undefined,
  except: ReadonlySet<string>,
  holds: boolean,
): Promise<readonly Waiting[]> {
  const heads = await headsOfLine(rows, except, holds || task === undefined ? {} : { before: task.place });
  if (task?.subject === undefined || task.subject === null) return heads;
  const before = { by: "line", of: [{ subject: task.subject }], before: { seq: task.place }, columns: LINE };
  const own = (await rows.list(TASKS, before)).filter(({ id }) => !except.has(id)).map(parse);
  const known = new Set(own.map((one) => one.task));
  return [...own, ...heads.filter((one) => !known.has(one.task))].toSorted((a, b) => a.place - b.place);
}

/** Undefined when there is no such task. */
export async function placeOf(rows: ReadRows, task: string): Promise<Placed | undefined> {
  const [row] = await rows.get(TASKS, [{ id: task }], LINE);
  if (row === undefined) return undefined;
  const { seq: place, state, subject } = row;
  return { task, place, state, subject, scopes: row.waits === null ? null : parse(row).scopes };
}

export async function changeTask(rows: Rows, id: string, change: Partial<TaskRow>): Promise<void> {
  const [row] = await rows.get(TASKS, [{ id }]);
  if (row !== undefined) await rows.put(TASKS, [{ ...row, ...change }]);
}

/** The lease of a task that ended without a worker, for who tells of it. */
export async function grantOwn(rows: Rows, task: string, holder: string): Promise<void> {
  const token = await nextNumber(rows, TOKENS, 1);
  const own = { scope: `task/${task}`, task, mode: "exclusive", token, holder, heartbeat: 0, lifeMs: LIFE_MS } as const;
  await rows.put(LEASES, [own]);
}

/** Of the task, and of a holder if one is named. */
export async function leasesOf(rows: ReadRows, task: string, holder?: string): Promise<readonly Lease[]> {
  return rows.list(LEASES, { by: "task", of: [holder === undefined ? { task } : { task, holder }] });
}

export function inHandsOf(holder: string, leases: readonly Lease[]): readonly Lease[] {
  return leases.map((lease) => ({ ...lease, holder }));
}

function parse({ id, state, seq, waits }: LineRow): Waiting {
  return { task: id, state, place: seq, scopes: JSON.parse(waits ?? "[]") as readonly LeaseRequest[] };
}
