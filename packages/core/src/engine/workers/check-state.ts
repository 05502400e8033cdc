import { setImmediate as nextTurn } from "node:timers/promises";
import type { RecordKind, StateStore } from "../../contracts/store.ts";
import type { ErrorCode } from "../../errors/codes.ts";
import type { PlatformRecord, ServerRecord, SiteRecord } from "../../model/records.ts";
import { opens } from "../../store/key-check.ts";
import { undoContext } from "../actions/journal.ts";
import type { EngineParts } from "../planning/task-engine.ts";

/** Something of the state that is not as it must be; see `Hostwright.check`. */
export interface StateProblem {
  /** What an error of it would have as its code. */
  readonly code: ErrorCode;
  readonly what: string;
  readonly mend: string;
}

const AT_ONCE = 200;
const RESTORE = "Put the whole state folder back from one backup, then call raiseEpoch.";
const WITH_KEY = "Give all keys that the state was used with; what none of them opens, put back from a backup.";

/** Looks at all of the state, and changes nothing: files, sealed values, and what records say of each other. */
export async function checkState(parts: EngineParts): Promise<readonly StateProblem[]> {
  const damaged = await parts.store.integrity();
  return [
    ...damaged.map((what) => ({ code: "HW_STORE_INCOMPATIBLE", what, mend: RESTORE }) as const),
    ...(parts.box.hasKey ? [...(await sealedSecrets(parts)), ...(await priorStates(parts))] : []),
    ...(await references(parts.store)),
  ];
}

async function sealedSecrets({ store, box }: EngineParts): Promise<readonly StateProblem[]> {
  const problems: StateProblem[] = [];
  let after: string | undefined;
  do {
    const page = await store.secrets.list("", { limit: AT_ONCE, ...(after === undefined ? {} : { after }) });
    for (const { id, sealed } of page)
      if (!opens(box, sealed, id)) problems.push(unreadable(`the secret ${id} cannot be opened`));
    after = page.length < AT_ONCE ? undefined : page.at(-1)?.id;
    await nextTurn();
  } while (after !== undefined);
  return problems;
}

/** Of tasks that somebody has yet to end: prior states, by which they would be undone. */
async function priorStates({ store, box }: EngineParts): Promise<readonly StateProblem[]> {
  const problems: StateProblem[] = [];
  const open = await store.tasks.list({ states: ["running", "cancelling", "undoing", "needs-attention"] });
  for (const { id } of open) {
    const rows = (await store.journal.read(id)).filter(({ undo }) => undo !== null);
    const closed = rows.filter(({ undo, action }) => !opens(box, undo ?? "", undoContext({ task: id, action })));
    if (closed.length > 0) problems.push(unreadable(`${closed.length} prior states of task ${id} cannot be opened`));
  }
  return problems;
}

function unreadable(what: string): StateProblem {
  return { code: "HW_SECRET_UNREADABLE", what, mend: WITH_KEY };
}

async function references(store: StateStore): Promise<readonly StateProblem[]> {
  const problems: StateProblem[] = [];
  const need = async (whose: string, kind: RecordKind, id: string): Promise<void> => {
    if ((await store.records.get(kind, id)) !== null) return;
    problems.push({
      code: "HW_NOT_FOUND",
      what: `${whose} names the ${kind} ${id}, which is not there`,
      mend: RESTORE,
    });
  };
  for await (const server of all<ServerRecord>(store, "server")) {
    if (server.connect.type !== "ssh") continue;
    const id = `server/${server.id}/private-key`;
    if (!(await store.secrets.get([id])).has(id))
      problems.push({
        code: "HW_SECRET_UNREADABLE",
        what: `the login key of server ${server.name} is not there`,
        mend: `Put it again: hw.servers.put({ name: "${server.name}", connect }).`,
      });
  }
  for await (const platform of all<PlatformRecord>(store, "platform"))
    await need(`the platform ${platform.name}`, "server", platform.server);
  for await (const site of all<SiteRecord>(store, "site")) {
    if (site.status === "draft") continue;
    await need(`the site ${site.domain}`, "platform", site.platform);
    if (site.database !== null) await need(`the site ${site.domain}`, "server", site.database.server);
  }
  return problems;
}

async function* all<T>(store: StateStore, kind: RecordKind): AsyncGenerator<T> {
  let after = "";
  for (;;) {
    const page = await store.records.list(kind, { after, limit: AT_ONCE });
    for (const { value } of page) yield value as T;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.name;
    await nextTurn();
  }
}
