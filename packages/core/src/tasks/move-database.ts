import * as z from "zod";
import type { Guard } from "../contracts/guard.ts";
import type { DatabaseCopy } from "../contracts/roles/database.ts";
import type { EnsureStep, Step, TransferStep } from "../contracts/steps.ts";
import type { TaskDraft, TaskRequest, TaskType } from "../contracts/task.ts";
import { defineTask } from "../plugin-kit/define-task.ts";
import type { Planning } from "../contracts/planning.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { ServerRecord, ServicePlace, SiteRecord } from "../model/records.ts";
import { checkMove } from "./check-move.ts";
import { chooseService } from "./choose-service.ts";
import { Name, ofSite, type OfSite, type SiteInput } from "./inputs.ts";
import { placementsOf } from "./platform-steps.ts";
import { refuseProblems } from "./prerequisites.ts";
import { serverSteps } from "./server-steps.ts";
import { changeSite } from "./site-change.ts";
import { databaseOf, siteParts, type SiteHead, type SiteParts } from "./site-parts.ts";
import {
  activateServices,
  activateStep,
  httpItems,
  itemsAt,
  membersSet,
  probeSteps,
  runningHead,
  webItems,
  type RunningHead,
} from "./site-steps.ts";

export interface MovedDatabaseValue extends OfSite {
  /** Name of the server that has it now. */
  readonly database: string;
}

interface Input extends SiteInput {
  readonly database: string;
}

const COPY_MS = 6 * 60 * 60 * 1000;
/** One index of a large table takes that long, and meanwhile nothing is read. */
const COPY_IDLE_MS = 60 * 60 * 1000;

export const moveSiteDatabase: TaskType<[site: string, database: string], Input, MovedDatabaseValue> = defineTask({
  type: "site:move-database",
  version: 1,
  input: z.strictObject({ site: Name, database: Name }),
  value: ofSite.extend({ database: z.string() }),
  request: (site: string, database: string) => ({ site, database }),
  title: ({ site, database }) => `move the database of ${site} to ${database}`,
  subject: ({ site }) => ({ site }),
  plan: planMove,
});

/**
 * Asks that a site's database moves to another server with a service of the same type. The site answers 503 while the
 * contents are copied. If anything fails before the commit, the site stays on its old database; after the commit that is
 * dropped. The value is
 * `{ site, domain, database }`. Planned again, it gives an empty plan. @throws when planned: HW_NOT_FOUND,
 * HW_SERVICE_UNFIT, HW_INPUT_INVALID, HW_PREREQUISITE_MISSING (also for what the other server lacks for this
 * database: an older version, an extension ...), HW_DISK_FULL; when run: HW_TRANSFER_FAILED, HW_TRANSFER_STALLED, HW_PROBE_FAILED ...
 */
export function moveDatabase(site: string, database: string): TaskRequest<MovedDatabaseValue> {
  return moveSiteDatabase.request(site, database);
}

async function planMove(context: Planning, request: Input): Promise<TaskDraft<MovedDatabaseValue>> {
  const { inventory } = context;
  const site = await inventory.site(request.site);
  const old = await siteParts(context, site);
  const heads = placementsOf(context, old.platform);
  const { platform } = old;
  const need = old.definition.role.needs?.["db"];
  const db = chooseService(context, { kind: "db", wanted: request.database, need, platform, heads });
  const { from, to } = refuseOther(context, old, db);
  const changed: SiteRecord = { ...site, bindings: { ...site.bindings, ...(db === null ? {} : { db }) } };
  const draft: TaskDraft<MovedDatabaseValue> = {
    title: `move the database of ${site.domain} to ${to.name}`,
    about: [`site/${site.id}`],
    steps: [],
    value: { site: site.id, domain: site.domain, database: to.name },
  };
  if (from.id === to.id) return draft;
  await refuseProblems(context, [...heads, to]);
  const moved = await siteParts(context, changed);
  const guards = await checkMove(context, old, moved);
  return {
    ...draft,
    steps: await moveSteps(context, { old, moved, from, to, guards }),
    sets: membersSet(old),
    commit: changeSite(context, changed),
  };
}

interface Move {
  readonly old: SiteParts;
  readonly moved: SiteParts;
  readonly from: ServerRecord;
  readonly to: ServerRecord;
  /** What must hold on it before anything is made there. */
  readonly guards: readonly Guard[];
}

async function moveSteps(context: Planning, { old, moved, from, to, guards }: Move): Promise<readonly Step[]> {
  const { site } = old;
  const on = (title: string, { server }: SiteHead, items: EnsureStep["items"]): EnsureStep => ({
    kind: "ensure",
    title: `${title} of ${site.domain}`,
    server,
    phase: "prepare",
    items,
  });
  const closed = old.heads.map((head) => runningOf({ ...head, view: { ...head.view, enabled: false } }));
  const database: EnsureStep = {
    kind: "ensure",
    title: `database and account of ${site.domain}`,
    server: to,
    phase: "prepare",
    items: databaseItems(moved),
    guards,
  };
  const drop: EnsureStep = {
    kind: "ensure",
    title: `drop the former database of ${site.domain}`,
    server: from,
    phase: "clean-up",
    items: [],
    remove: databaseItems(old).map(({ owner, type, spec }) => ({
      owners: [owner],
      types: [type],
      keys: [context.keyOf({ type, spec })],
    })),
  };
  return [
    ...(await serverSteps(context, to)),
    database,
    ...activateServices(moved, to),
    ...closed.flatMap((head) => [
      on("closed pages", head, httpItems(head)),
      activateStep(head, `close the pages of ${site.domain}`),
    ]),
    ...closed.map((head) => on(`stop the ${head.runtime.title}`, head, webItems(head))),
    await copyStep(context, old.heads[0], moved.heads[0]),
    ...moved.heads.map(runningOf).map((head) => on(`settings and ${head.runtime.title}`, head, webItems(head))),
    ...moved.heads.flatMap((head) => [
      on("open pages", head, httpItems(head)),
      activateStep(head, `open the pages of ${site.domain}`),
    ]),
    ...probeSteps(moved, "always"),
    drop,
    ...activateServices(old, from, "clean-up"),
  ];
}

/** Whatever keeps something for a site needs one: its plugin was judged so when it was loaded. */
function runningOf(head: SiteHead): RunningHead {
  const running = runningHead(head);
  if (running !== null) return running;
  throw new HostwrightError("HW_INTERNAL", `${head.site.domain} has a database and nothing that runs its code.`);
}

/** Database and account. */
function databaseItems(parts: SiteParts): EnsureStep["items"] {
  const database = databaseOf(parts);
  return database === null ? [] : itemsAt(parts, database);
}

/** On one web head, which reaches both databases. */
async function copyStep(context: Planning, old: SiteHead, moved: SiteHead): Promise<TransferStep> {
  const { site, server } = old;
  const { runtime } = runningOf(old);
  const [from, to] = [copyOf(old), copyOf(moved)];
  for (const copy of [from, to]) await requireClient(context, server, copy);
  // One of the two may be on the web server itself: then its socket must be seen.
  const { view } = old.view.bindings.db?.socket === null ? moved : old;
  const common = {
    kind: "program",
    properties: runtime.role.sandbox({ ...view, enabled: false }, runtime.view),
  } as const;
  return {
    kind: "transfer",
    title: `copy the database of ${site.domain}`,
    server,
    phase: "prepare",
    from: { ...common, server, argv: from.dump, login: from.login, trailer: from.trailer },
    to: { ...common, argv: to.load, login: to.login },
    idleMs: COPY_IDLE_MS,
    timeoutMs: COPY_MS,
  };
}

function copyOf(head: SiteHead): DatabaseCopy {
  const { view, site } = head;
  const [database, { db }] = [databaseOf(head), view.bindings];
  const copy = db === undefined ? undefined : database?.service.role.copy?.(db, database.view);
  if (copy !== undefined) return copy;
  throw new HostwrightError(
    "HW_SERVICE_UNFIT",
    `Databases of type ${database?.service.record.type ?? "none"} cannot be moved: its plugin does not say how ${site.domain}'s is copied. Nothing was changed.`,
    { remedy: "Install a version of the plugin that does." },
  );
}

async function requireClient(context: Planning, web: ServerRecord, copy: DatabaseCopy): Promise<void> {
  const { server, signal } = await context.target(web);
  const { exitCode } = await server.run({ argv: [copy.program, "--version"], signal });
  if (exitCode === 0) return;
  throw new HostwrightError(
    "HW_PREREQUISITE_MISSING",
    `${web.name} lacks ${copy.program}, with which the database would be copied. Nothing was changed.`,
    { server: web.name, remedy: `Install ${copy.package} on ${web.name}.` },
  );
}

function refuseOther(
  context: Planning,
  old: SiteParts,
  wanted: ServicePlace | null,
): { readonly from: ServerRecord; readonly to: ServerRecord } {
  const [database, { site }] = [databaseOf(old), old];
  if (database === null || wanted === null) {
    throw new HostwrightError("HW_INPUT_INVALID", `${site.domain} has no database. Nothing was changed.`);
  }
  const from = database.service;
  const to = context.inventory.service(context.inventory.server(wanted.server ?? from.server.id), "db", wanted.service);
  const [was, is] = [from.record.type, to.record.type];
  if (was !== is) {
    throw new HostwrightError(
      "HW_SERVICE_UNFIT",
      `${site.domain} has its database on ${was}: it cannot go to ${is}. Nothing was changed.`,
      { remedy: `Choose a server with a database of type ${was}.` },
    );
  }
  if (from.server.id === to.server.id && from.record.name !== to.record.name) {
    throw new HostwrightError(
      "HW_INPUT_INVALID",
      `${from.record.name} and ${to.record.name} are services of one server, ${to.server.name}: a database moves between servers. Nothing was changed.`,
    );
  }
  return { from: from.server, to: to.server };
}
