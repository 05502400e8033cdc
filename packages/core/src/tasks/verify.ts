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
import { platformStep, publishedRecord } from "./platform-steps.ts";
import { problemsOf } from "./prerequisites.ts";
import { activateServer, ofServer, publishersOf, serverStep, serverSteps } from "./server-steps.ts";
import { siteParts, type SiteParts } from "./site-parts.ts";
import { backingItems, httpItems, ownerOf, probeStep, siteSteps, webItems } from "./site-steps.ts";
import type { TaskDraft, TaskRequest, TaskType } from "../contracts/task.ts";
import { defineTask } from "../plugin-kit/define-task.ts";
import type { Planning } from "../contracts/planning.ts";

/** What a verify found besides its plan: read only, nothing of it is a change. */
export interface VerifyValue {
  readonly problems: readonly (Problem & { readonly server: string })[];
  /** Front pages by domain: of the site that was asked for. A server's or platform's verify fetches none. */
  readonly pages: Readonly<Record<string, Pick<Page, "status" | "title" | "ms">>>;
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
  pages: z.record(z.string(), z.strictObject({ status: z.int(), title: z.string(), ms: z.number() })),
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
    if (server !== null) return verifyServer(context, server);
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
    steps: [...before, ...publish, probeStep(parts, "changed")],
    value: found(context, parts.web, readPage(context, parts)),
  };
}

async function verifyPlatform(context: Planning, platform: PlatformRecord): Promise<TaskDraft<VerifyValue>> {
  const { step, release } = await platformStep(context, platform);
  return {
    title: `verify platform ${platform.name}`,
    about: [`platform/${platform.id}`],
    steps: [...(await serverSteps(context, context.inventory.server(platform.server))), step],
    commit: { put: publishedRecord(context, platform, release), deleteRecords: [] },
    value: found(context, context.inventory.server(platform.server), {}),
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
      const parts = await siteParts(context, site);
      return [ownerOf(parts), itemsOn(server, parts, isHere.has(site.id))] as const;
    },
  );
  const platformSteps = await alone.each(
    inventory.platforms.filter((platform) => platform.server === server.id),
    ({ name }) => `platform ${name}`,
    async (platform) => ({
      ...(await platformStep(context, platform)).step,
      apart: (_owner: string, error: HostwrightError) => alone.tell(`platform ${platform.name}`, error),
    }),
  );
  const owners = judged.map(([owner]) => owner);
  const publications = publishersOf(context, server).map(({ publication }) => publication);
  const entries = publications.map(entriesOf);
  const isEntry = ({ type, spec }: Owned): boolean =>
    type === "file" && publications.some((one) => isEntryOf(one, { type, key: context.keyOf({ type, spec }) }));
  const items = Map.groupBy(
    judged.flatMap(([, own]) => own),
    isEntry,
  );
  const common = { kind: "ensure", server, phase: "prepare", apart } as const;
  const sites: EnsureStep = {
    ...common,
    title: `${judged.length} sites of ${server.name}`,
    items: items.get(false) ?? [],
    remove: [{ owners, removal: "delete", except: entries }],
  };
  // By themselves, so that an undo puts in force what stood before they came while what they name is still there.
  const published: EnsureStep = {
    ...common,
    title: `entries of ${judged.length} sites of ${server.name}`,
    items: items.get(true) ?? [],
    remove: entries.map((entry) => ({ owners, ...entry })),
  };
  const leftovers = await leftoversOn(context, server);
  const own = await serverStep(context, server, [], alone);
  const left = leftovers.steps.length === 0 ? [] : activateServer(context, { server }, "clean-up");
  const steps: Step[] = [
    own,
    ...platformSteps,
    sites,
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
      const rest = [...foreign, ...alone.problems()].map((problem) => ({ ...problem, server: server.name }));
      return valueOf([...problems, ...rest], {});
    },
  };
}

/** What a site has on a server: all of it where its pages are served from, else what it stores there. */
function itemsOn(server: ServerRecord, parts: SiteParts, isServed: boolean): readonly Owned[] {
  return [...(isServed ? [...webItems(parts), ...httpItems(parts)] : []), ...backingItems(parts, server)];
}

/** Read while the plan is made, not before it. */
async function found(
  context: Planning,
  server: ServerRecord,
  reading: VerifyValue["pages"] | Promise<VerifyValue["pages"]>,
): Promise<VerifyValue> {
  const [problems, pages] = await Promise.all([findProblems(context, server), reading]);
  return valueOf(problems, pages);
}

/** One absent plugin is one problem, however many services it has. */
function valueOf(problems: VerifyValue["problems"], pages: VerifyValue["pages"]): VerifyValue {
  return { problems: [...new Map(problems.map((problem) => [problem.message, problem])).values()], pages };
}

async function findProblems(context: Planning, server: ServerRecord): Promise<VerifyValue["problems"]> {
  const problems = await Promise.all([problemsOf(context, server), quarantineProblems(context, server)]);
  return problems.flat().map((problem) => ({ ...problem, server: server.name }));
}

async function readPage(context: Planning, parts: SiteParts): Promise<VerifyValue["pages"]> {
  const target = await context.target(parts.web);
  const port = parts.http.role.port(parts.httpView);
  const page = await fetchPage(target, { domain: parts.site.domain, port, path: "/" }).catch(() => null);
  return { [parts.site.domain]: { status: page?.status ?? 0, title: page?.title ?? "", ms: page?.ms ?? 0 } };
}
