import * as z from "zod";
import type { Problem } from "../contracts/plugin.ts";
import { fetchPage, type Page } from "../operations/probe-page.ts";
import type { EnsureStep, Owned, Step } from "../engine/steps.ts";
import type { PlatformRecord, ServerRecord, SiteRecord } from "../model/records.ts";
import { platformStep, publishedRecord } from "./platform-steps.ts";
import { problemsOf } from "./prerequisites.ts";
import { serverStep } from "./server-steps.ts";
import { siteParts, type SiteParts } from "./site-parts.ts";
import { databaseItems, httpItems, ownerOf, probeStep, siteSteps, webItems } from "./site-steps.ts";
import { NOTHING, type PlanningContext, type TaskDraft, type TaskType } from "../engine/task-type.ts";

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
 * holds what differs; run, it is set right. The value, of the plan and of the task, is a `VerifyValue`.
 * @throws HW_NOT_FOUND when planned
 */
export function verify(alias: string): VerifyRequest {
  return { type: "alias:verify", alias };
}

export const verifyAlias: TaskType<VerifyRequest> = {
  type: "alias:verify",
  schema: Request,
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
  const served = await Promise.all(estate.sitesOnServer(server.id).map(async (site) => siteParts(context, site)));
  const here = new Set(served.map((parts) => parts.site.id));
  const stored = await Promise.all(
    estate
      .sitesOnDatabase(server.id)
      .filter((site) => !here.has(site.id))
      .map(async (site) => siteParts(context, site)),
  );
  const items: Owned[] = [
    ...served.flatMap((parts) => [
      ...webItems(parts),
      ...httpItems(parts),
      ...(parts.database?.service.server.id === server.id ? databaseItems(parts) : []),
    ]),
    ...stored.flatMap(databaseItems),
  ];
  const platforms = estate.platforms.filter((platform) => platform.server === server.id);
  const platformSteps = await Promise.all(
    platforms.map(async (platform) => (await platformStep(context, platform)).step),
  );
  const owners = new Set([...served, ...stored].map(ownerOf));
  const sites: EnsureStep = {
    kind: "ensure",
    title: `${served.length} sites of ${server.name}`,
    server,
    phase: "prepare",
    items,
    remove: (row) => owners.has(row.owner) && context.registry.resourceType(row.type).removal === "delete",
    publish: server.services.find((service) => service.kind === "http")?.name ?? null,
  };
  const steps: Step[] = [await serverStep(context, server), ...platformSteps, sites];
  return {
    ...NOTHING,
    title: `verify server ${server.name}`,
    leases: [{ scope: `server/${server.id}`, mode: "exclusive" }],
    // No page is looked at: the publisher saw the new generation answer, and one site whose application is broken must
    // neither take back what was set right for all others nor cost each of them a start of its PHP.
    steps,
    value: found(context, [server], {}),
  };
}

/** Read while the plan is made, not before it. */
async function found(
  context: PlanningContext,
  servers: readonly ServerRecord[],
  reading: VerifyValue["pages"] | Promise<VerifyValue["pages"]>,
): Promise<Readonly<Record<string, unknown>>> {
  const [problems, pages] = await Promise.all([findProblems(context, servers), reading]);
  return { problems, pages };
}

async function findProblems(
  context: PlanningContext,
  servers: readonly ServerRecord[],
): Promise<VerifyValue["problems"]> {
  const lists = await Promise.all(
    servers.map(async (server) =>
      (await problemsOf(context, server)).map((problem) => ({ ...problem, server: server.name })),
    ),
  );
  return lists.flat();
}

async function readPage(context: PlanningContext, parts: SiteParts): Promise<VerifyValue["pages"]> {
  const target = await context.session.target(parts.web);
  const port = parts.http.role.port(parts.httpView);
  const page = await fetchPage(target, { domain: parts.site.domain, port, path: "/" }).catch(() => null);
  return { [parts.site.domain]: { status: page?.status ?? 0, title: page?.title ?? "", ms: page?.ms ?? 0 } };
}
