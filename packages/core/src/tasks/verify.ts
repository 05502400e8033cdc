import * as z from "zod";
import type { Problem } from "../contracts/plugin.ts";
import { isUnfit, problemOf } from "../engine/plugins/stored-options.ts";
import type { HostwrightError } from "../errors/hostwright-error.ts";
import { breathe, mapSlowly } from "../model/breathe.ts";
import { fetchPage, type Page } from "../operations/probe-page.ts";
import type { EnsureStep, Owned, Step } from "../engine/planning/steps.ts";
import type { PlatformRecord, ServerRecord, SiteRecord } from "../model/records.ts";
import { foreignProblems } from "./foreign.ts";
import { heldBackProblems } from "./held-back.ts";
import { leftoversOn } from "./leftovers.ts";
import { platformStep, publishedRecord } from "./platform-steps.ts";
import { problemsOf } from "./prerequisites.ts";
import { publisherOf, serverStep } from "./server-steps.ts";
import { siteParts, type SiteParts } from "./site-parts.ts";
import { bindingItems, databaseItems, httpItems, ownerOf, probeStep, siteSteps, webItems } from "./site-steps.ts";
import { NOTHING, type PlanningContext, type TaskDraft, type TaskType } from "../engine/planning/task-type.ts";

export interface VerifyRequest {
  readonly type: "alias:verify";
  /** Name, id, domain or `@name` of a server, platform or site. */
  readonly alias: string;
}

const Request = z.strictObject({ type: z.literal("alias:verify"), alias: z.string().min(1).max(300) });

/** What a verify found besides its plan: read only, nothing of it is a change. */
export interface VerifyValue {
  readonly problems: readonly (Problem & { readonly server: string })[];
  /** Front pages by domain: of the site that was asked for. A server's or platform's verify fetches none. */
  readonly pages: Readonly<Record<string, Pick<Page, "status" | "title" | "ms">>>;
}

/**
 * Asks whether a server with all its sites, a platform or a site stands as recorded, by name, id or `@name`. The plan
 * holds what differs; run, it is set right. The value, of the plan and of the task, is a `VerifyValue`. What the loaded
 * plugins cannot work with is left out of a server's verify, as it is, and listed among its problems.
 * @throws HW_NOT_FOUND when planned; of one platform or site also HW_PLUGIN_MISSING, HW_OPTIONS_INCOMPATIBLE
 */
export function verify(alias: string): VerifyRequest {
  return { type: "alias:verify", alias };
}

export const verifyAlias: TaskType<VerifyRequest> = {
  type: "alias:verify",
  schema: Request,
  title: ({ alias }) => `verify ${alias}`,
  async plan(context, request) {
    const { estate } = context;
    const name = request.alias.replace(/^@/, "");
    const server = estate.servers.find((record) => record.name === name || record.id === name);
    if (server !== undefined) return verifyServer(context, server);
    const platform = estate.platforms.find((record) => record.name === name || record.id === name);
    if (platform !== undefined) return verifyPlatform(context, platform);
    return verifySite(context, estate.site(name));
  },
};

async function verifySite(context: PlanningContext, site: SiteRecord): Promise<TaskDraft> {
  const parts = await siteParts(context, site);
  const { before, publish } = siteSteps(context, parts);
  return {
    ...NOTHING,
    title: `verify site ${site.domain}`,
    leases: [
      { scope: `site/${site.id}`, mode: "exclusive" },
      { scope: `server/${parts.web.id}`, mode: "shared" },
    ],
    steps: [...before, publish, probeStep(parts, "changed")],
    value: found(context, [parts.web], readPage(context, parts)),
  };
}

async function verifyPlatform(context: PlanningContext, platform: PlatformRecord): Promise<TaskDraft> {
  const { step, release } = await platformStep(context, platform);
  return {
    ...NOTHING,
    title: `verify platform ${platform.name}`,
    leases: [
      { scope: `platform/${platform.id}`, mode: "exclusive" },
      { scope: `server/${platform.server}`, mode: "shared" },
    ],
    steps: [await serverStep(context, context.estate.server(platform.server)), step],
    commit: { put: publishedRecord(context, platform, release), deleteRecords: [] },
    value: found(context, [context.estate.server(platform.server)], {}),
  };
}

/** All sites of the server at once: its resources are read per type, never per site (decisions.md D13, promise 9). */
async function verifyServer(context: PlanningContext, server: ServerRecord): Promise<TaskDraft> {
  const { estate } = context;
  await context.facts(server, { standing: true });
  const unfit: HostwrightError[] = [];
  const sitesHere = estate.sitesOnServer(server.id);
  const served = await fitOnes(sitesHere, unfit, async (site) => siteParts(context, site));
  const here = new Set(sitesHere.map((site) => site.id));
  const sitesStored = [...new Set([...estate.sitesOnDatabase(server.id), ...estate.sitesBoundTo(server.id)])].filter(
    (site) => !here.has(site.id),
  );
  const stored = await fitOnes(sitesStored, unfit, async (site) => siteParts(context, site));
  const items: Owned[] = [
    ...(await mapSlowly(served, (parts) => [...webItems(parts), ...httpItems(parts)])).flat(),
    ...[...served, ...stored].flatMap((parts) => [
      ...(parts.database?.service.server.id === server.id ? databaseItems(parts) : []),
      ...bindingItems(parts, server),
    ]),
  ];
  const platforms = estate.platforms.filter((platform) => platform.server === server.id);
  const platformSteps = await fitOnes(
    platforms,
    unfit,
    async (platform) => (await platformStep(context, platform)).step,
  );
  const owners = new Set([...served, ...stored].map(ownerOf));
  const sites: EnsureStep = {
    kind: "ensure",
    title: `${served.length} sites of ${server.name}`,
    server,
    phase: "prepare",
    items,
    remove: (row) => owners.has(row.owner) && context.registry.findResourceType(row.type)?.removal === "delete",
    publish: publisherOf(context, server),
  };
  const leftovers = await leftoversOn(context, server);
  const steps: Step[] = [await serverStep(context, server), ...platformSteps, sites, ...leftovers.steps];
  return {
    ...NOTHING,
    title: `verify server ${server.name}`,
    leases: [{ scope: `server/${server.id}`, mode: "exclusive" }, ...leftovers.leases],
    // No page is looked at: the publisher saw the new generation answer, and one site whose application is broken must
    // neither take back what was set right for all others nor cost each of them a start of its PHP.
    steps,
    value: found(context, [server], {}, unfit, foreignProblems(context, server)),
  };
}

/**
 * Whatever the loaded plugins can work with. A record of an absent plugin stays as it is, with all that it has on the
 * server, and its neighbours are verified all the same (decisions.md D4).
 */
async function fitOnes<T, R>(
  records: readonly T[],
  unfit: HostwrightError[],
  work: (record: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  // One after the other: what they wait for is read once for all, and then each would be worked in one breath with the rest.
  for (const record of records) {
    await breathe();
    try {
      results.push(await work(record));
    } catch (error) {
      if (!isUnfit(error)) throw error;
      unfit.push(error);
    }
  }
  return results;
}

/** Read while the plan is made, not before it. */
async function found(
  context: PlanningContext,
  servers: readonly ServerRecord[],
  reading: VerifyValue["pages"] | Promise<VerifyValue["pages"]>,
  unfit: readonly HostwrightError[] = [],
  finding: Promise<readonly Problem[]> = Promise.resolve([]),
): Promise<Readonly<Record<string, unknown>>> {
  const [problems, pages, foreign] = await Promise.all([findProblems(context, servers), reading, finding]);
  const left = [...foreign, ...unfit.map(problemOf)].map((problem) => ({ server: servers[0]?.name ?? "", ...problem }));
  // One absent plugin is one problem, however many sites it has.
  return {
    problems: [...new Map([...problems, ...left].map((problem) => [problem.message, problem])).values()],
    pages,
  };
}

async function findProblems(
  context: PlanningContext,
  servers: readonly ServerRecord[],
): Promise<VerifyValue["problems"]> {
  const lists = await Promise.all(
    servers.map(async (server) => {
      const problems = await Promise.all([problemsOf(context, server), heldBackProblems(context, server)]);
      return problems.flat().map((problem) => ({ ...problem, server: server.name }));
    }),
  );
  return lists.flat();
}

async function readPage(context: PlanningContext, parts: SiteParts): Promise<VerifyValue["pages"]> {
  const target = await context.session.target(parts.web);
  const port = parts.http.role.port(parts.httpView);
  const page = await fetchPage(target, { domain: parts.site.domain, port, path: "/" }).catch(() => null);
  return { [parts.site.domain]: { status: page?.status ?? 0, title: page?.title ?? "", ms: page?.ms ?? 0 } };
}
