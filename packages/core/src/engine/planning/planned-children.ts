import * as z from "zod";
import type { TaskChildren, TaskDraft } from "../../contracts/task.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { filterSlowly, mapSlowly } from "../../model/breathe.ts";
import { canonicalJson } from "../../model/canonical.ts";
import { parseInput } from "../../model/parse.ts";
import { parseRequests, titleOf, type ParsedRequest, type TaskTypes } from "./parse-request.ts";
import type { PlanData } from "./plan.ts";

const MOST = 10_000;
const MOST_AT_ONCE = 100;
const AT_ONCE = 4;

const Children: z.ZodType<TaskChildren> = z.strictObject({
  requests: z.array(z.looseObject({ type: z.string() })).max(MOST),
  concurrency: z.int().min(1).max(MOST_AT_ONCE).exactOptional(),
  stopAfter: z.int().min(1).exactOptional(),
});

/**
 * The children of a draft, judged before any of them is begun: of a misspelt one none is. Each is planned under its own
 * leases when its turn comes; so its parent must have none that it could wait for.
 * @throws HW_INPUT_INVALID for what is asked of the children; HW_INTERNAL for a mistake of the task's own
 */
export async function plannedChildren(
  parts: TaskTypes,
  { type, input }: ParsedRequest,
  draft: TaskDraft,
): Promise<Pick<PlanData, "children">> {
  if (draft.children === undefined) return {};
  const own = ownOf(draft);
  if (own.length > 0) {
    const what = `The plan of "${draft.title}" has children, and beside them ${own.join(", ")} of its own`;
    throw new HostwrightError("HW_INTERNAL", `${what}, for which they could wait without end. Nothing was changed.`);
  }
  const asked = parseInput(Children, draft.children, `${type.type}: children`);
  const { requests, concurrency = AT_ONCE, stopAfter = null } = asked;
  const judged = await parseRequests(parts, requests);
  const parents = judged.findIndex((one) => one.type.standsFor !== undefined);
  if (parents >= 0) throw nested(draft.title, `Request ${parents + 1} of ${requests.length}`);
  if (type.standsFor !== undefined) {
    const allowed = new Set(await mapSlowly(type.standsFor(input), canonicalJson));
    const others = await filterSlowly(requests, (request) => !allowed.has(canonicalJson(request)));
    if (others.length > 0) {
      const what = `The plan of "${draft.title}" has children that it does not stand for`;
      throw new HostwrightError("HW_INTERNAL", `${what}: nobody's right to them was asked. Nothing was changed.`);
    }
  }
  const list = await mapSlowly(judged, (one) => ({
    title: one.type.title(one.input, (other) => titleOf(parts, other)),
    request: one.request,
  }));
  return { children: { list, concurrency, stopAfter } };
}

/** @throws HW_INPUT_INVALID for a child that has children: nobody bounds how deep that goes */
export function refuseGrandchildren(parent: string | null, { title, children }: PlanData): void {
  if (parent !== null && children !== undefined) throw nested(title, `It is a child of task ${parent}`);
}

function nested(title: string, what: string): HostwrightError {
  return new HostwrightError(
    "HW_INPUT_INVALID",
    `${title}: a child may have no children, nor stand for other requests. ${what}. Nothing was changed.`,
    { remedy: "Ask for all of them in one batch, or for that one by itself." },
  );
}

/** What it has that is not its children's, in words. */
function ownOf(draft: TaskDraft): readonly string[] {
  const { about, steps, outputs = {}, records = [], sets = [], reserve = [], release = [], commit } = draft;
  const { eraseOnCommit = [], eraseOnUndo = [] } = draft;
  const parts: Readonly<Record<string, readonly unknown[]>> = {
    leases: about,
    steps,
    outputs: Object.keys(outputs),
    records: [...records, ...reserve, ...release, ...(commit?.put ?? []), ...(commit?.deleteRecords ?? [])],
    sets,
    secrets: [...eraseOnCommit, ...eraseOnUndo],
  };
  return Object.keys(parts).filter((name) => (parts[name] ?? []).length > 0);
}
