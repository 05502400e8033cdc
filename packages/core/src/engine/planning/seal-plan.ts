import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createDeflateRaw, inflateRaw } from "node:zlib";
import type { StoredTask } from "../../contracts/store.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { breathe } from "../../model/breathe.ts";
import { canonicalPieces, deepFreeze } from "../../model/canonical.ts";
import type { SecretBox } from "../../store/sealing.ts";
import { presentChange, presentRecord } from "./former-plan.ts";
import type { PlanData, PlannedChange, PlannedChild } from "./plan.ts";
import { SYSTEM_CLOCK, type Clock } from "../../model/time.ts";

type Registered = PlanData["register"][number];

/** What a plan has by the thousand, in lines of their own after a first line with all else: each is worked by itself. */
type Line =
  | { readonly action: number; readonly changes: readonly PlannedChange[] }
  | { readonly register: readonly Registered[] }
  | { readonly children: readonly PlannedChild[] };

const ROWS_A_LINE = 100;

/** What is approved: the plan's actions, not its times or ids. SHA-256, hex. */
export async function planHash(plan: Omit<PlanData, "hash">): Promise<string> {
  const { actions, register, children, records = [], sets = [], commit, reserve, request } = plan;
  const hash = createHash("sha256");
  for (const piece of canonicalPieces({ actions, register, children, records, sets, commit, reserve, request }, 4)) {
    hash.update(piece);
    const pause = breathe();
    if (pause !== null) await pause;
  }
  return hash.digest("hex");
}

/**
 * A plan as it is stored: sealed, so that nobody without the key can read, make or change one (decisions.md D5). Packed
 * before: plans of many sites repeat themselves, and each change of a task's state writes its row again.
 */
export async function sealPlan(box: SecretBox, plan: PlanData): Promise<string> {
  const packing = createDeflateRaw({ level: 1 });
  const [packed] = await Promise.all([buffer(packing), pipeline(linesOf(plan), packing)]);
  return box.seal(packed.toString("base64"), `plan/${plan.task}`);
}

/** What was begun is ended, however late. @throws HW_PLAN_FORGED, HW_PLAN_EXPIRED */
export async function openPlan(
  box: SecretBox,
  task: Pick<StoredTask, "id" | "plan">,
  { begun = false, clock = SYSTEM_CLOCK }: { readonly begun?: boolean; readonly clock?: Clock } = {},
): Promise<PlanData> {
  let plan: PlanData;
  try {
    plan = await unpacked(box.open(String(task.plan), `plan/${task.id}`));
  } catch (cause) {
    throw new HostwrightError(
      "HW_PLAN_FORGED",
      `The plan of task ${task.id} was not sealed by this installation. Nothing was run.`,
      { cause },
    );
  }
  if (!begun && Date.parse(plan.expiresAt) < clock.now()) {
    throw new HostwrightError(
      "HW_PLAN_EXPIRED",
      `The plan of task ${task.id} was good until ${plan.expiresAt}. Nothing was run.`,
    );
  }
  const { reserve, commit } = plan;
  return { ...plan, reserve: reserve.map(presentRecord), commit: { ...commit, put: commit.put.map(presentRecord) } };
}

async function* linesOf(plan: PlanData): AsyncGenerator<string> {
  const actions = plan.actions.map((action) => (action.kind === "ensure" ? { ...action, changes: [] } : action));
  const { children } = plan;
  const head = { ...plan, actions, register: [], ...(children && { children: { ...children, list: [] } }) };
  yield `${JSON.stringify(head)}\n`;
  for (const line of manyOf(plan)) {
    await breathe();
    yield `${JSON.stringify(line)}\n`;
  }
}

function* manyOf({ actions, register, children }: PlanData): Generator<Line> {
  for (const [action, one] of actions.entries())
    if (one.kind === "ensure") for (const changes of parts(one.changes)) yield { action, changes };
  for (const rows of parts(register)) yield { register: rows };
  for (const list of parts(children?.list ?? [])) yield { children: list };
}

function* parts<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < list.length; from += ROWS_A_LINE) yield list.slice(from, from + ROWS_A_LINE);
}

async function unpacked(packed: string): Promise<PlanData> {
  const text = await promisify(inflateRaw)(Buffer.from(packed, "base64"));
  const lines = new PlanLines();
  for (let from = 0; from < text.length;) {
    await breathe();
    const end = text.indexOf("\n", from);
    lines.take(text.toString("utf8", from, end));
    from = end + 1;
  }
  return lines.plan();
}

/** Puts a plan together of its lines, as they come. */
export class PlanLines {
  readonly #register: Registered[] = [];
  readonly #children: PlannedChild[] = [];
  readonly #changes = new Map<number, PlannedChange[]>();
  #head: PlanData | null = null;

  take(text: string): void {
    if (this.#head === null) {
      this.#head = JSON.parse(text) as PlanData;
      return;
    }
    const line = deepFreeze(JSON.parse(text) as Line);
    if ("children" in line) for (const child of line.children) this.#children.push(child);
    else if ("register" in line) for (const row of line.register) this.#register.push(row);
    else
      this.#changes.set(line.action, [...(this.#changes.get(line.action) ?? []), ...line.changes.map(presentChange)]);
  }

  /** @throws where there was no line */
  plan(): PlanData {
    if (this.#head === null) throw new Error("an empty text");
    const actions = this.#head.actions.map((action, index) =>
      action.kind === "ensure" ? { ...action, changes: this.#changes.get(index) ?? [] } : action,
    );
    const { children } = this.#head;
    const all = { ...this.#head, actions, register: this.#register };
    return deepFreeze(children === undefined ? all : { ...all, children: { ...children, list: this.#children } });
  }
}
