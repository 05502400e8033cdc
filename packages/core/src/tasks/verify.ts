import * as z from "zod";
import { ERROR_CODES, type ErrorCode } from "../errors/codes.ts";
import type { Problem } from "../contracts/problem.ts";
import { fetchPage, type Page } from "../operations/probe-page.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { entriesOf, isEntryOf } from "../plugin-kit/entries.ts";
import type { EnsureStep, Owned, Step } from "../contracts/steps.ts";
import type { PlatformRecord, ServerRecord, SiteRecord } from "../model/records.ts";
import { Alone } from "./alone.ts";
import { foreignProblems } from "./foreign.ts";
import { quarantineProblems } from "./quarantined.ts";
import { Name } from "./inputs.ts";
import { leftoversOn } from "./leftovers.ts";
import { clusterSet, placementsOf, platformSteps, publishedRecord } from "./platform-steps.ts";
import { problemsOf } from "./prerequisites.ts";
import { activateServer, ofServer, publishersOf, serverStep, serverSteps } from "./server-steps.ts";
import { KEPT_FOLDERS, retireSteps, strayProblems, straysOn } from "./strays.ts";
import { commonParts, headOf, siteParts, type CommonParts, type SiteHead } from "./site-parts.ts";
import {
  backingItems,
  backingServers,
  firstContent,
  httpItems,
  ownerOf,
  probeSteps,
  siteSteps,
  webItems,
} from "./site-steps.ts";
import type { TaskDraft, TaskRequest, TaskType } from "../contracts/task.ts";
import { defineTask } from "../plugin-kit/define-task.ts";
import type { Planning } from "../contracts/planning.ts";

/** What a verify found besides its plan: read only, nothing of it is a change. */
export interface VerifyValue {
  readonly problems: readonly (Problem & { readonly server: string })[];
  /** The front page of the site that was asked for, as each of its web heads answers. A server's or platform's verify fetches none. */
  readonly pages: readonly SeenPage[];
}

/** `status` 0: nothing answered. */
export interface SeenPage extends Pick<Page, "status" | "title" | "ms"> {
  readonly domain: string;
  /** Name of the web head. */
  readonly server: string;
}

const Value: z.ZodType<VerifyValue> = z.strictObject({
  problems: z
    .array(
      z.strictObject({
        message: z.string(),
        remedy: z.string(),
        code: z.custom<ErrorCode>((code) => typeof code === "string" && code in ERROR_CODES).exactOptional(),
        tolerable: z.boolean().exactOptional(),
        server: z.string(),
      }),
    )
    .readonly(),
  pages: z
    .array(
      z.strictObject({ domain: z.string(), server: z.string(), status: z.int(), title: z.string(), ms: z.number() }),
    )
    .readonly(),
});

export const verifyAlias: TaskType<[alias: string], { readonly alias: string }, VerifyValue> = defineTask({
  type: "alias:verify",
  version: 1,
  input: z.strictObject({ alias: Name }),
  value: Value,
  request: (alias: string) => ({ alias }),
  title: ({ alias }) => `verify ${alias}`,
  subject: ({ alias }) => ({ alias }),
  async plan(context: Planning, request) {
    const { inventory } = context;
    const server = inventory.findServer(request.alias);
    if (server !== null) return verifyEach(context, server);
    const platform = inventory.findPlatform(request.alias);
    if (platform !== null) return verifyPlatform(context, platform);
    const site = await inventory.findSite(request.alias);
    if (site !== null) return verifySite(context, site);
    const name = request.alias.replace(/^@/, "").slice(0, 100);
    throw new HostwrightError("HW_NOT_FOUND", `There is no server, platform or site "${name}". Nothing was changed.`);
  },
});

/**
 * Asks whether a server with all its sites, a platform or a site stands as recorded, by name, id or `@name`. The plan
 * holds what differs; run, it is set right. The value, of the plan and of the task, is a `VerifyValue`. What the loaded
 * plugins cannot work with, and each platform, site or service that fails by itself, is left out of a server's verify, as it
 * is, and named among its problems; its neighbours go on.
 * @throws HW_NOT_FOUND when planned; of one platform or site also HW_PLUGIN_MISSING, HW_OPTIONS_INCOMPATIBLE
 */
export function verify(alias: string): TaskRequest<VerifyValue> {
  return verifyAlias.request(alias);
}

async function verifySite(context: Planning, site: SiteRecord): Promise<TaskDraft<VerifyValue>> {
  const parts = await siteParts(context, site);
  const { before, publish } = siteSteps(parts);
  return {
    title: `verify site ${site.domain}`,
    about: [`site/${site.id}`],
    steps: [...before, ...publish, ...probeSteps(parts, "changed")],
    value: found(
      context,
      parts.heads.map((head) => head.server),
      Promise.all(parts.heads.map(async (head) => readPage(context, head))),
    ),
  };
}

async function verifyPlatform(context: Planning, platform: PlatformRecord): Promise<TaskDraft<VerifyValue>> {
  const { steps, release } = await platformSteps(context, platform);
  const servers = placementsOf(context, platform);
  const prepared = await Promise.all(servers.map(async (server) => serverSteps(context, server)));
  return {
    title: `verify platform ${platform.name}`,
    about: [`platform/${platform.id}`],
    steps: [...prepared.flat(), ...steps],
    sets: clusterSet(platform, servers),
    commit: { put: publishedRecord(context, platform, release), deleteRecords: [] },
    value: found(context, servers, []),
  };
}

/** A server, or each member of a cluster. */
async function verifyEach(context: Planning, server: ServerRecord): Promise<TaskDraft<VerifyValue>> {
  const members = context.inventory.members(server);
  const [first, ...others] = members;
  if (first.id === server.id) return verifyServer(context, server);
  await Promise.all(members.map(async (member) => context.facts(member, { standing: true })));
  const drafts = [await verifyServer(context, first)];
  for (const member of others) drafts.push(await verifyServer(context, member));
  return {
    title: `verify cluster ${server.name}`,
    about: [...new Set([`server/${server.id}`, ...drafts.flatMap(({ about }) => about)])],
    steps: drafts.flatMap(({ steps }) => steps),
    records: [...ofServer(context, server).records, ...drafts.flatMap(({ records }) => records ?? [])],
    value: async () => {
      const values = await Promise.all(
        drafts.map(async ({ value }) => (typeof value === "function" ? value() : value)),
      );
      return valueOf(
        values.flatMap(({ problems }) => problems ?? []),
        [],
      );
    },
  };
}

/** All sites of the server at once: its resources are read per type, never per site (decisions.md D13, promise 9). */
async function verifyServer(context: Planning, server: ServerRecord): Promise<TaskDraft<VerifyValue>> {
  const { inventory } = context;
  // What the server itself refuses is refused here: the rest is each record's own.
  await context.facts(server, { standing: true });
  const alone = new Alone(context);
  const served = await inventory.sitesOnServer(server.id);
  const stored = await inventory.sitesBoundTo(server.id);
  const isHere = new Set(served.map(({ id }) => id));
  const sitesWanted = new Map([...served, ...stored].map((site) => [site.id, site]));
  const names = new Map([...sitesWanted.values()].map(({ id, domain }) => [`site/${id}`, `site ${domain}`]));
  const apart: EnsureStep["apart"] = (owner, error) => alone.tell(names.get(owner) ?? owner, error);
  const judged = await alone.each(
    [...sitesWanted.values()],
    ({ domain }) => `site ${domain}`,
    async (site) => {
      const parts = await commonParts(context, site);
      const head = isHere.has(site.id) ? await headOf(context, parts, server) : null;
      return { owner: ownerOf(parts), parts, head, items: itemsOn(server, parts, head) };
    },
  );
  const platforms = inventory.platformsOn(server.id);
  const releases = await alone.each(
    platforms,
    ({ name }) => `platform ${name}`,
    async (platform) => {
      const { steps } = await platformSteps(context, platform);
      const apart = (_owner: string, error: HostwrightError): void => alone.tell(`platform ${platform.name}`, error);
      return steps.filter((step) => step.server.id === server.id).map((step) => ({ ...step, apart }));
    },
  );
  const here = [...names.keys(), ...platforms.map(({ id }) => `platform/${id}`)];
  const strays = await straysOn(context, server, here);
  for (const { owner, name } of strays) names.set(owner, name);
  const publications = publishersOf(context, server).map(({ publication }) => publication);
  const entries = publications.map(entriesOf);
  const isEntry = ({ type, spec }: Owned): boolean =>
    type === "file" && publications.some((one) => isEntryOf(one, { type, key: context.keyOf({ type, spec }) }));
  const items = Map.groupBy(
    judged.flatMap((one) => one.items),
    isEntry,
  );
  const common = { kind: "ensure", server, phase: "prepare", apart } as const;
  const sites: EnsureStep = {
    ...common,
    title: `${judged.length} sites of ${server.name}`,
    items: items.get(false) ?? [],
    remove: [
      {
        owners: ownersOf(judged.filter(({ head, parts }) => head !== null || !isOfCluster(context, parts))),
        removal: "delete",
        except: entries,
      },
      // Of a cluster's site that keeps something here, this may have been a head before.
      {
        owners: ownersOf(judged.filter(({ head, parts }) => head === null && isOfCluster(context, parts))),
        removal: "delete",
        except: [...entries, KEPT_FOLDERS],
      },
    ],
  };
  // By themselves, so that an undo puts in force what stood before they came while what they name is still there.
  const published: EnsureStep = {
    ...common,
    title: `entries of ${judged.length} sites of ${server.name}`,
    items: items.get(true) ?? [],
    remove: entries.map((entry) => ({ owners: ownersOf(judged), ...entry })),
  };
  const leftovers = await leftoversOn(context, server);
  const own = await serverStep(context, server, [], alone);
  const left = leftovers.steps.length === 0 ? [] : activateServer(context, { server }, "clean-up");
  const steps: Step[] = [
    ...retireSteps(server, strays, apart),
    ...backingOfNew(judged, apart),
    own,
    ...releases.flat(),
    sites,
    ...judged.flatMap(({ head }) => (head === null ? [] : firstContent(head))),
    published,
    ...activateServer(context, own),
    ...leftovers.steps,
    ...left,
  ];
  const finding = Promise.all([findProblems(context, server), foreignProblems(context, server)]);
  finding.catch(() => undefined);
  return {
    ...ofServer(context, server),
    title: `verify server ${server.name}`,
    about: [`server/${server.id}`, ...leftovers.owners],
    // No page is looked at: the publisher saw the new generation answer, and one site whose application is broken must
    // neither take back what was set right for all others nor cost each of them a start of its PHP.
    steps,
    value: async () => {
      const [problems, foreign] = await finding;
      const rest = [...foreign, ...strayProblems(server, strays), ...alone.problems()].map((problem) => ({
        ...problem,
        server: server.name,
      }));
      return valueOf([...problems, ...rest], []);
    },
  };
}

interface Judged {
  readonly owner: string;
  readonly parts: CommonParts;
  /** Null of a site that only keeps something there. */
  readonly head: SiteHead | null;
}

function ownersOf(judged: readonly Judged[]): readonly string[] {
  return judged.map(({ owner }) => owner);
}

function isOfCluster({ inventory }: Planning, { platform }: CommonParts): boolean {
  const place = inventory.server(platform.server);
  return inventory.members(place)[0].id !== place.id;
}

/** What keeps something for a site opens for a head that has joined its cluster, before that answers. */
function backingOfNew(judged: readonly Judged[], apart: EnsureStep["apart"]): readonly EnsureStep[] {
  const items = new Map<ServerRecord, Owned[]>();
  for (const { parts, head } of judged) {
    if (head === null || head.isServing) continue;
    for (const server of backingServers(parts)) {
      if (server.id === head.server.id) continue;
      items.set(server, [...(items.get(server) ?? []), ...backingItems(parts, server)]);
    }
  }
  return [...items].map(([server, own]) => ({
    kind: "ensure",
    title: `what sites of the cluster keep on ${server.name}`,
    server,
    phase: "prepare",
    items: own,
    ...(apart === undefined ? {} : { apart }),
  }));
}

/** What a site has on a server: what a web head has of it, and what it stores there. */
function itemsOn(server: ServerRecord, parts: CommonParts, head: SiteHead | null): readonly Owned[] {
  const served = head === null ? [] : [...webItems(head), ...httpItems(head)];
  return [...served, ...backingItems(parts, server)];
}

/** Read while the plan is made, not before it. */
async function found(
  context: Planning,
  servers: readonly ServerRecord[],
  reading: VerifyValue["pages"] | Promise<VerifyValue["pages"]>,
): Promise<VerifyValue> {
  const [pages, ...problems] = await Promise.all([
    reading,
    ...servers.map(async (server) => findProblems(context, server)),
  ]);
  return valueOf(problems.flat(), pages);
}

/** One absent plugin is one problem, however many services of a server it has. */
function valueOf(problems: VerifyValue["problems"], pages: VerifyValue["pages"]): VerifyValue {
  const each = new Map(problems.map((problem) => [`${problem.server} ${problem.message}`, problem]));
  return { problems: [...each.values()], pages };
}

async function findProblems(context: Planning, server: ServerRecord): Promise<VerifyValue["problems"]> {
  const problems = await Promise.all([problemsOf(context, server), quarantineProblems(context, server)]);
  return problems.flat().map((problem) => ({ ...problem, server: server.name }));
}

async function readPage(context: Planning, { server, http, httpView, site }: SiteHead): Promise<SeenPage> {
  const { domain } = site;
  const target = await context.target(server);
  const page = await fetchPage(target, { domain, port: http.role.port(httpView), path: "/" }).catch(() => null);
  return { domain, server: server.name, status: page?.status ?? 0, title: page?.title ?? "", ms: page?.ms ?? 0 };
}
