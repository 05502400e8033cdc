import * as z from "zod";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { ServerRecord } from "../model/records.ts";
import type { EnsureStep, Selector, Step } from "../contracts/steps.ts";
import { Name, ofSite, type OfSite, type SiteInput } from "./inputs.ts";
import { entriesOf } from "../plugin-kit/entries.ts";
import { siteParts } from "./site-parts.ts";
import { KEPT_FOLDERS } from "./strays.ts";
import {
  activateServices,
  activateStep,
  backingServers,
  emptyStep,
  keptOn,
  membersSet,
  onCluster,
  ownerOf,
  runningHead,
} from "./site-steps.ts";
import type { TaskDraft, TaskRequest, TaskType } from "../contracts/task.ts";
import { defineTask } from "../plugin-kit/define-task.ts";
import type { Planning } from "../contracts/planning.ts";

export const removeSite: TaskType<[site: string], SiteInput, OfSite> = defineTask({
  type: "site:delete",
  version: 1,
  input: z.strictObject({ site: Name }),
  value: ofSite,
  request: (site: string) => ({ site }),
  title: ({ site }) => `delete ${site}`,
  subject: ({ site }) => ({ site }),
  plan: async (context: Planning, { site }) => planDelete(context, site),
});

/**
 * Asks that a site is removed, with its database and files; `site` is an id, main domain or alias. Before the commit only its
 * pages and its code are off, and an undo brings them back; after the commit nothing comes back. The value is
 * `{ site, domain }`.
 * @throws HW_NOT_FOUND when planned
 */
export function deleteSite(site: string): TaskRequest<OfSite> {
  return removeSite.request(site);
}

const UNITS = { types: ["unit"] } as const;

/** What no loaded plugin can remove would be left behind without a record. @throws HW_PLUGIN_MISSING */
export async function refuseUnknown(
  context: Planning,
  domain: string,
  owner: string,
  servers: readonly ServerRecord[],
): Promise<void> {
  for (const server of servers) {
    const rows = await context.registered(server, { owners: [owner] });
    const unknown = rows.find(({ known }) => !known);
    if (unknown === undefined) continue;
    throw new HostwrightError(
      "HW_PLUGIN_MISSING",
      `${domain} has ${unknown.type} ${unknown.key} on ${server.name}, which no loaded plugin knows. Nothing was changed.`,
      { server: server.name, remedy: `Load the plugin that brings the resource type "${unknown.type}".` },
    );
  }
}

/** Before the commit row the site only stops answering, which can be undone; what cannot comes after it. */
async function planDelete(context: Planning, name: string): Promise<TaskDraft<OfSite>> {
  const site = await context.inventory.site(name);
  const parts = await siteParts(context, site, { partly: true });
  const owner = ownerOf(parts);
  const gone = (
    title: string,
    { what = {}, ...step }: Pick<EnsureStep, "server" | "phase"> & { what?: Omit<Selector, "owners"> },
  ): EnsureStep => ({
    kind: "ensure",
    title: `${title} of ${site.domain}`,
    items: [],
    remove: [{ owners: [owner], ...what }],
    ...step,
  });
  const { heads } = parts;
  const headIds = new Set(heads.map(({ server }) => server.id));
  const others = backingServers(parts).filter(({ id }) => !headIds.has(id));
  await refuseUnknown(context, site.domain, owner, [...heads.map(({ server }) => server), ...others]);
  const off = heads.flatMap((head): readonly Step[] => [
    gone("remove the pages", { server: head.server, phase: "prepare", what: entriesOf(head.http.role.publication) }),
    activateStep(head, `unpublish ${site.domain}`),
  ]);
  const stopped = heads.flatMap(({ runtime, server }) =>
    runtime === null ? [] : [gone(`stop the ${runtime.title}`, { server, phase: "prepare", what: UNITS })],
  );
  const away = heads.flatMap((head): readonly Step[] => {
    const { server, http } = head;
    const running = runningHead(head);
    const except = [entriesOf(http.role.publication), UNITS];
    return [
      ...(running === null || head.isNew ? [] : [emptyStep(running, "clean-up")]),
      gone("remove user, folders and settings", { server, phase: "clean-up", what: { except } }),
      ...activateServices(parts, server, "clean-up"),
    ];
  });
  const steps: Step[] = [...off, ...stopped, ...away];
  for (const server of others) {
    const rows = await context.registered(server, { owners: [owner] });
    // It was a head before: its next verify empties its folders as the user to whom they belong.
    const wasHead = onCluster(parts) && rows.some(({ type }) => type === "unix-user");
    const what = wasHead ? { except: [KEPT_FOLDERS, { types: ["unix-user"] }] } : {};
    const remove = gone(`remove ${keptOn(parts, server)}`, { server, phase: "clean-up", what });
    for (const step of [remove, ...activateServices(parts, server, "clean-up")]) steps.push(step);
  }
  return {
    title: `delete ${site.domain}`,
    about: [`site/${site.id}`],
    steps,
    sets: membersSet(parts),
    commit: { put: [], deleteRecords: [{ kind: "site", id: site.id }] },
    eraseOnCommit: [`site/${site.id}/`],
    value: { site: site.id, domain: site.domain },
  };
}
