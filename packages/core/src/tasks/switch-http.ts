import * as z from "zod";
import type { HttpRole } from "../contracts/roles/http.ts";
import type { EnsureStep, Owned, ResourceFilter, RunStep, Step } from "../contracts/steps.ts";
import type { TakeOverInput } from "../contracts/operation-inputs.ts";
import type { TaskDraft, TaskRequest, TaskType } from "../contracts/task.ts";
import { defineTask } from "../plugin-kit/define-task.ts";
import type { BoundService, Planning } from "../contracts/planning.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { ServerRecord, SiteRecord } from "../model/records.ts";
import { breathe } from "../model/breathe.ts";
import { fetchPage } from "../operations/probe-page.ts";
import { entriesOf, isEntryOf } from "../plugin-kit/entries.ts";
import { foreignThings } from "./foreign.ts";
import { Name, type ServerInput } from "./inputs.ts";
import { refuseProblems } from "./prerequisites.ts";
import { isFit, ofServer, serverItems, servingSet } from "./server-steps.ts";
import { siteChange } from "./site-change.ts";
import { placementsOf } from "./platform-steps.ts";
import { siteParts, type SiteHead, type SiteParts } from "./site-parts.ts";
import { expectedStatus } from "../plugin-kit/web/expected-status.ts";
import { httpItems, ownerOf, probeSteps } from "./site-steps.ts";

export interface SwitchHttpValue {
  readonly server: string;
  /** The http service that serves now. */
  readonly service: string;
  /** How many it serves. */
  readonly sites: number;
}

interface Input extends ServerInput {
  readonly service: string;
}

const Value: z.ZodType<SwitchHttpValue> = z.strictObject({ server: z.string(), service: z.string(), sites: z.int() });

/** Pages that are looked at behind the new web server: more would cost each site a start of its PHP. */
const MOST_PROBED = 3;

export const switchServerHttp: TaskType<[server: string, service: string], Input, SwitchHttpValue> = defineTask({
  type: "server:switch-http",
  version: 1,
  input: z.strictObject({ server: Name, service: z.string().min(1).max(63) }),
  value: Value,
  request: (server: string, service: string) => ({ server, service }),
  title: ({ server, service }) => `switch ${server} to ${service}`,
  subject: ({ server }) => ({ server }),
  async plan(context: Planning, request) {
    const { inventory } = context;
    const server = inventory.server(request.server);
    const members = inventory.members(server);
    await Promise.all(members.map(async (member) => context.facts(member, { standing: true })));
    const sites = new Map<string, SiteRecord>();
    const switches: Switch[] = [];
    for (const member of members) {
      const to = inventory.service(member, "http", request.service);
      const from = inventory.service(member, "http");
      const served = await inventory.sitesOnServer(member.id);
      for (const site of served) sites.set(site.id, site);
      switches.push({ server: member, from, to, sites: served });
    }
    const moving = [...sites.values()].filter(({ bindings }) => bindings?.http?.service !== request.service);
    const draft: TaskDraft<SwitchHttpValue> = {
      title: `switch ${server.name} to ${switches[0]?.to.record.type}`,
      about: [...new Set([server, ...members].map(({ id }) => `server/${id}`))],
      steps: [],
      value: { server: server.name, service: request.service, sites: sites.size },
    };
    const pending = switches.filter(({ from, to }) => from.record.name !== to.record.name);
    if (moving.length + pending.length === 0) return draft;
    if (sites.size === 0) throw noSites(server);
    refuseElsewhere(context, server, moving);
    const steps: Step[] = [];
    const movingIds = new Set(moving.map(({ id }) => id));
    const known = new Map<string, SiteParts>();
    for (const one of switches)
      if (pending.includes(one) || one.sites.some(({ id }) => movingIds.has(id)))
        for (const step of await switchSteps(context, one, known)) steps.push(step);
    return {
      ...draft,
      records: [...new Set([server, ...members])].flatMap((one) => ofServer(context, one).records),
      sets: switches.flatMap(({ server: { id }, sites: served }) => [
        { set: "sites served by server", of: id, found: served.map((site) => site.id) },
        servingSet(context, inventory.server(id)),
      ]),
      steps,
      commit: { put: moving.map((site) => siteChange(context, servedBy(site, request.service))), deleteRecords: [] },
    };
  },
});

/**
 * Asks that another http service of a server, by name, serves all its sites; of a cluster, on each of its members. Put it on the server's record beside the one
 * that serves: `[nginx.service(), apache.service({}, "apache"), ...]`, then `switchHttp("web1", "apache")`. Everything for it
 * is written before the one stops and the other starts on its port. If anything fails before the commit, the former one is
 * brought back. The value is `{ server, service, sites }`. Planned again, it gives an empty plan. The former service may stay on the
 * record, to switch back, or be left out of it. @throws when planned: HW_NOT_FOUND, HW_SERVICE_MISSING,
 * HW_PREREQUISITE_MISSING, HW_RESOURCE_FOREIGN; when run: HW_HTTP_CONFIG_REFUSED, HW_HTTP_RELOAD_FAILED, HW_PROBE_FAILED ...
 */
export function switchHttp(server: string, service: string): TaskRequest<SwitchHttpValue> {
  return switchServerHttp.request(server, service);
}

function servedBy(site: SiteRecord, service: string): SiteRecord {
  return { ...site, bindings: { ...site.bindings, http: { service } } };
}

interface Switch {
  readonly server: ServerRecord;
  readonly from: BoundService<HttpRole>;
  readonly to: BoundService<HttpRole>;
  readonly sites: readonly SiteRecord[];
}

/** `known`: parts of sites that other members serve too. */
async function switchSteps(context: Planning, asked: Switch, known: Map<string, SiteParts>): Promise<readonly Step[]> {
  const { server, from, to, sites } = asked;
  await refuse(context, asked);
  const heads: SiteHead[] = [];
  const pages: Owned[] = [];
  for (const site of sites) {
    await breathe();
    const parts = known.get(site.id) ?? (await siteParts(context, servedBy(site, to.record.name)));
    known.set(site.id, parts);
    for (const head of parts.heads) {
      if (head.server.id !== server.id) continue;
      heads.push(head);
      for (const page of httpItems(head)) pages.push(page);
    }
  }
  const owner = `server/${server.id}`;
  const moved = heads.map(ownerOf);
  const serving = context.inventory
    .services(server)
    .filter(({ record }) => record.kind !== "http" || record.name === to.record.name);
  const items = await serverItems(context, server, serving);
  const [next, former] = [to.role.publication, from.role.publication];
  const isNext = (item: Owned): boolean => item.type === "unit" && (item.spec as { name?: unknown }).name === next.unit;
  const formerUnit: ResourceFilter = { types: ["unit"], keys: [former.unit] };
  const common = { server, phase: "prepare" } as const;
  const beside: EnsureStep = {
    ...common,
    kind: "ensure",
    title: `configure ${to.record.type} for ${sites.length} sites beside ${from.record.type}`,
    items: [...items.filter((item) => !isNext(item)), ...pages],
  };
  const input: TakeOverInput = { from: from.record.type, to: to.record.type, port: portOf(heads) };
  const over: RunStep = {
    kind: "run",
    title: `${to.record.type} takes over from ${from.record.type}`,
    server,
    phase: "prepare",
    operation: "take-over",
    input,
    when: "always",
    touches: [next, former].map(({ unit }) => ({ type: "unit", key: unit })),
  };
  const units: EnsureStep = {
    ...common,
    kind: "ensure",
    title: `start ${to.record.type} at boot, and not ${from.record.type}`,
    items: items.filter(isNext),
    remove: [{ owners: [owner], ...formerUnit }],
  };
  const clean: EnsureStep = {
    ...common,
    kind: "ensure",
    phase: "clean-up",
    title: `remove what ${from.record.type} had`,
    items: [],
    remove: [
      // Of a site that it does not move everything stays (decisions.md D56).
      { owners: moved, ...entriesOf(from.role.publication) },
      ...(isFit(context, server) ? [{ owners: [owner], except: [formerUnit] }] : []),
    ],
  };
  return [beside, over, units, ...(await probes(context, asked, heads)), clean];
}

function portOf([first]: readonly SiteHead[]): number {
  return first === undefined ? 80 : first.http.role.port(first.httpView);
}

/** Pages that answer well now must do so afterwards; a site whose application is broken is nobody's hindrance. */
async function probes(
  context: Planning,
  { server, from }: Switch,
  heads: readonly SiteHead[],
): Promise<readonly RunStep[]> {
  const target = await context.target(server);
  const port = from.role.port(await context.viewOf(from));
  const looked = await Promise.all(
    heads.slice(0, MOST_PROBED).map(async (one) => {
      const page = await fetchPage(target, { domain: one.site.domain, port, path: "/" }).catch(() => null);
      return page?.status === expectedStatus(one.view) && page.bytes > 0 ? probeSteps({ heads: [one] }, "always") : [];
    }),
  );
  return looked.flat();
}

/** What the server, or the web server that waits, is not ready for. */
async function refuse(context: Planning, { server, from, to }: Switch): Promise<void> {
  await refuseProblems(context, [server]);
  await refuseForeign(context, server, from);
  const problem = to.definition.problems(await context.viewOf(to)).find((one) => one.tolerable !== true);
  if (problem !== undefined) {
    const { code = "HW_PREREQUISITE_MISSING", message, remedy } = problem;
    throw new HostwrightError(code, `${server.name}: ${message} Nothing was changed.`, { server: server.name, remedy });
  }
  const { unit } = to.role.publication;
  const target = await context.target(server);
  const { stdout } = await target.server.run({ argv: ["systemctl", "is-active", unit], signal: target.signal });
  if (stdout.toString().trim() !== "active") return;
  throw new HostwrightError(
    "HW_RESOURCE_FOREIGN",
    `${unit} runs on ${server.name} already, for something that is not Hostwright's. Nothing was changed.`,
    { server: server.name, remedy: `Stop it there (systemctl disable --now ${unit}), then switch.` },
  );
}

/** Sites that this installation does not know would be served no more. @throws HW_RESOURCE_FOREIGN */
async function refuseForeign(context: Planning, server: ServerRecord, { role }: BoundService<HttpRole>): Promise<void> {
  const foreign = (await foreignThings(context, server)).filter((one) => isEntryOf(role.publication, one));
  if (foreign.length === 0) return;
  throw new HostwrightError(
    "HW_RESOURCE_FOREIGN",
    `${server.name} serves what this installation did not make, and would serve it no more: ${foreign
      .slice(0, 20)
      .map(({ key }) => key)
      .join(", ")}. Nothing was changed.`,
    {
      server: server.name,
      remedy: "Find out whose these sites are. Remove the entries of those that are nobody's any more, then switch.",
      data: { entries: foreign.map(({ key }) => key) },
    },
  );
}

/** One record says for all heads of a site by which service it is served. @throws HW_INPUT_INVALID */
function refuseElsewhere(context: Planning, server: ServerRecord, moving: readonly SiteRecord[]): void {
  const { inventory } = context;
  const switched = new Set(inventory.members(server).map(({ id }) => id));
  for (const site of moving) {
    const platform = inventory.platform(site.platform);
    const other = placementsOf(context, platform).find(({ id }) => !switched.has(id));
    if (other === undefined) continue;
    const cluster = inventory.server(platform.server).name;
    throw new HostwrightError(
      "HW_INPUT_INVALID",
      `${site.domain} is served by ${cluster}, on ${other.name} as well. Nothing was changed.`,
      { server: server.name, remedy: `Switch all of them: switchHttp("${cluster}", ...).` },
    );
  }
}

function noSites(server: ServerRecord): HostwrightError {
  return new HostwrightError(
    "HW_INPUT_INVALID",
    `${server.name} serves no site yet: there is nothing to switch. Nothing was changed.`,
    {
      server: server.name,
      remedy: "Put the server's record with the http service that you want alone, and verify it.",
    },
  );
}
