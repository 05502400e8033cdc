import type { RecordRemoval, RegisteredResource } from "../../contracts/store.ts";
import type { ReadRows, Rows } from "../../contracts/store/tables.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { LEASES } from "../tables/leases.ts";
import { RECORDS, USES } from "../tables/records.ts";
import { REGISTER } from "../tables/register.ts";
import { TASKS } from "../tables/tasks.ts";
import { deleteRecords } from "./record-changes.ts";
import { registeredOn, serversIn } from "./register-changes.ts";
import { removeSecrets } from "./table-secrets.ts";
import { isOver } from "./task-states.ts";

/** A site that is no draft. */
const KEPT = ["installing", "installed", "deleting"];

/** See `RecordStore.forget`. */
export async function forgetRecord(
  rows: Rows,
  { kind, id, expect }: Required<RecordRemoval>,
): Promise<readonly RegisteredResource[]> {
  const what = await neededBy(rows, kind, id);
  if (what !== null) {
    throw new HostwrightError("HW_TASK_STATE", `The ${kind} ${id} is needed by ${what}. Nothing was changed.`, {
      data: { kind, id, expect },
    });
  }
  await deleteRecords(rows, [{ kind, id, expect }]);
  await removeSecrets(rows, `${kind}/${id}/`);
  if (kind !== "server") return [];
  const left = await registeredOn(rows, id);
  await rows.remove(REGISTER, left);
  return left;
}

/** What needs it, in words. */
async function neededBy(rows: ReadRows, kind: RecordRemoval["kind"], id: string): Promise<string | null> {
  const owner = `${kind}/${id}`;
  return (
    (await userOf(rows, kind, id)) ??
    (await leaseOf(rows, owner)) ??
    (kind === "site" ? await makerOf(rows, id) : null) ??
    (kind === "server" ? null : await resourceOf(rows, owner))
  );
}

async function userOf(rows: ReadRows, kind: RecordRemoval["kind"], id: string): Promise<string | null> {
  if (kind !== "server" && kind !== "platform") return null;
  const to = { field: kind, target: id } as const;
  const records = [{ ...to, kind: "platform" } as const, { ...to, kind: "server" } as const];
  const [record] = await rows.list(USES, { of: records, limit: 1 });
  const sites = KEPT.map((status) => ({ ...to, kind: "site", status }) as const);
  const [site] = await rows.list(USES, { of: sites, limit: 1 });
  const user = record ?? site;
  if (user === undefined) return null;
  const [named] = await rows.get(RECORDS, [user], ["name"]);
  return `the ${user.kind} ${named?.name}`;
}

async function leaseOf(rows: ReadRows, scope: string): Promise<string | null> {
  const [lease] = await rows.list(LEASES, { of: [{ scope }], limit: 1 });
  return lease === undefined ? null : `the task ${lease.task}`;
}

/** Of a draft, whose name is its task's. */
async function makerOf(rows: ReadRows, id: string): Promise<string | null> {
  const [site] = await rows.get(RECORDS, [{ kind: "site", id }], ["name"]);
  if (site === undefined) return null;
  const [task] = await rows.get(TASKS, [{ id: site.name }], ["id", "state"]);
  return task === undefined || isOver(task.state) ? null : `the task ${task.id}`;
}

async function resourceOf(rows: ReadRows, owner: string): Promise<string | null> {
  const of = (await serversIn(rows)).map((server) => ({ server, owner }));
  const [one] = await rows.list(REGISTER, { by: "owner", of, limit: 1 });
  return one === undefined ? null : `the ${one.type} ${one.key} on server ${one.server}`;
}
