import type { ServerRecord } from "../model/records.ts";
import type { Application, DriverCall } from "../contracts/platform.ts";
import type {
  ActivateStep,
  AssumedSet,
  EnsureStep,
  Owned,
  Phase,
  RunStep,
  Selector,
  Step,
} from "../contracts/steps.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { SiteCommandInput } from "../operations/site-command.ts";
import type { SiteView } from "../contracts/views.ts";
import { expectedStatus } from "../plugin-kit/web/expected-status.ts";
import { namesOf } from "../model/names-of.ts";
import { text, type Reference } from "../model/text.ts";
import { directory } from "../resources/directory.ts";
import { file } from "../resources/file.ts";
import { unixUser } from "../resources/unix-user.ts";
import { DRIVER_FOLDER } from "./server-steps.ts";
import { clusterSet } from "./platform-steps.ts";
import { KEPT_FOLDERS } from "./strays.ts";
import type { Backing, CommonParts, SiteHead, SiteParts } from "./site-parts.ts";
import { entriesOf, entryAddress } from "../plugin-kit/entries.ts";

/** `site/<id>`: for whom its resources are registered. */
export function ownerOf({ site }: CommonParts): string {
  return `site/${site.id}`;
}

/** What a site keeps on a server: accounts, its database. */
export function backingItems(parts: CommonParts, server: ServerRecord): readonly Owned[] {
  return backingOn(parts, server).flatMap((backing) => itemsAt(parts, backing));
}

/** The same with one of its services. */
export function itemsAt(parts: CommonParts, { service, request, view }: Backing): readonly Owned[] {
  return service.role.site(request, view).map((declared) => ({ ...declared, owner: ownerOf(parts) }));
}

function backingOn({ backing }: CommonParts, server: ServerRecord): readonly Backing[] {
  return [...backing.values()].filter(({ service }) => service.server.id === server.id);
}

/** The same in words: `database, cache`. */
export function keptOn(parts: CommonParts, server: ServerRecord): string {
  return namesOf(backingOn(parts, server).map(({ title }) => title));
}

/** Puts in force what the steps before it change of what those of a site's services publish that are on a server. */
export function activateServices(
  parts: SiteParts,
  server: ServerRecord,
  phase: Phase = "prepare",
): readonly ActivateStep[] {
  const { heads, site } = parts;
  const own = heads.flatMap(({ runtime, server: { id } }) =>
    runtime === null || id !== server.id ? [] : [{ service: runtime.view.service.name, role: runtime.role }],
  );
  const others = backingOn(parts, server).map(({ service: { record, role } }) => ({ service: record.name, role }));
  return [...own, ...others].flatMap(({ service, role }): readonly ActivateStep[] => {
    const title = `put what ${service} has for ${site.domain} in force`;
    return role.publication === undefined ? [] : [{ kind: "activate", title, server, phase, service }];
  });
}

function pluginsOn(parts: CommonParts, server: ServerRecord): string {
  const names = backingOn(parts, server).map(({ service }) => service.plugin);
  return namesOf([...new Set(names)]);
}

/** The servers that keep something for a site, each once. */
export function backingServers({ backing }: CommonParts): readonly ServerRecord[] {
  return [...new Map([...backing.values()].map(({ service: { server } }) => [server.id, server])).values()];
}

/** User, folders, settings and runtime of a site on a web head: all but what publishes it. */
export function webItems(head: SiteHead): readonly Owned[] {
  const { view, definition, runtime } = head;
  const { role } = definition;
  requireNeeds(head);
  const group = view.user;
  const seed = { id: view.id, paths: view.paths, platform: view.platform, options: view.options };
  const rootOwned = (path: string): ReturnType<typeof directory> =>
    directory({ path, owner: "root", group, mode: 0o750 });
  const own = (path: string, mode: number): ReturnType<typeof directory> =>
    directory({ path, owner: view.user, group, mode });
  const settings = role.settings(view);
  const confFolders = new Set([...role.confFolders(seed), ...settings.flatMap((item) => parentsOf(item.path))]);
  const leaves = role.ownFolders(seed).map((folder) => folder.path);
  const skeleton = new Set(leaves.flatMap(parentsOf));
  const declared = [
    unixUser({ name: view.user, uid: view.uid, home: view.paths.home, members: [view.webUser] }),
    rootOwned(view.paths.home),
    rootOwned(view.paths.conf),
    rootOwned(view.paths.public),
    own(view.paths.private, 0o700),
    own(view.paths.tmp, 0o700),
    ...[...confFolders].map((path) => rootOwned(`${view.paths.conf}/${path}`)),
    ...[...skeleton].map((path) => rootOwned(`${view.paths.public}/${path}`)),
    ...leaves.map((path) => own(`${view.paths.public}/${path}`, 0o750)),
    // The web server is in the site's group: settings are for the user alone (decisions.md D25).
    ...settings.map((item) =>
      file({ path: `${view.paths.conf}/${item.path}`, content: item.content, owner: view.user, group, mode: 0o400 }),
    ),
    ...passwordFiles(head),
    ...(runtime === null ? [] : runtime.role.site(view, runtime.view)),
  ];
  return declared.map((item) => ({ ...item, owner: ownerOf(head) }));
}

/** A later version of its platform's plugin may need more than the site was made with. @throws HW_SERVICE_MISSING */
function requireNeeds({ site, definition, platform }: CommonParts): void {
  const needs = Object.entries(definition.role.needs ?? {});
  const lacking = needs.find(([kind, need]) => need.optional !== true && site.bindings[kind] === undefined);
  if (lacking === undefined) return;
  const [kind] = lacking;
  throw new HostwrightError(
    "HW_SERVICE_MISSING",
    `${site.domain} has no ${kind} service, which ${platform.name} (${platform.type}) needs. Nothing was changed.`,
    { remedy: `Give it one: configure("${site.domain}", { bindings: { ${kind}: "server:service" } }).` },
  );
}

/** Id of the secret that holds a web user's hash, as `hw.sites.setPassword()` made it. */
export function webPasswordName(user: string): string {
  return `web-password/${user}`;
}

/** Given by `hw.sites.setPassword()`: none is made up. */
function passwordHash({ id, domain }: SiteView, user: string): Reference {
  return { ref: "secret", id: `site/${id}/${webPasswordName(user)}`, label: `password hash of ${user} of ${domain}` };
}

/** Readable by the web server alone: the site's own code is in neither its user nor its group. */
function passwordFiles({ view }: SiteHead): readonly ReturnType<typeof file>[] {
  const lines = (view.ownRules.basicAuth?.users ?? []).map((user) => text`${user}:${passwordHash(view, user)}\n`);
  if (lines.length === 0) return [];
  const content = lines.reduce((all, line) => text`${all}${line}`);
  return [file({ path: view.passwordFile, content, owner: "root", group: view.webUser, mode: 0o640 })];
}

/** The site's entries in the configuration of the web server of a head. */
export function httpItems(head: SiteHead): readonly Owned[] {
  const { role } = head.http;
  return role.site(head.view, head.httpView).map((entry) => ({
    ...file({ path: entryAddress(role.publication, entry.name).key, content: entry.content, mode: 0o640 }),
    owner: ownerOf(head),
  }));
}

/** All steps of a site, on all of its heads. A visitor meets no half of it where `before` comes first to open it, and `publish` to close it. */
export interface SiteSteps {
  /** What it keeps on servers, its user, folders, settings and runtime. */
  readonly before: readonly Step[];
  /** Its pages, and their activation, head by head. */
  readonly publish: readonly Step[];
}

/** Everything that a finished site has, as it should be; what it has and should not is removed. Empty where it stands so. */
export function siteSteps(parts: SiteParts): SiteSteps {
  const { site, heads } = parts;
  const headIds = new Set(heads.map(({ server }) => server.id));
  const backing = backingServers(parts).map((server): EnsureStep => ({
    kind: "ensure",
    title: `${keptOn(parts, server)} of ${site.domain}, by ${pluginsOn(parts, server)}`,
    server,
    phase: "prepare",
    items: backingItems(parts, server),
    remove: headIds.has(server.id) ? [] : [{ ...removable(parts), except: onCluster(parts) ? [KEPT_FOLDERS] : [] }],
  }));
  const before = [...backing, ...heads.map((head) => headStep(parts, head))];
  const servers = new Map(before.map(({ server }) => [server.id, server]));
  return {
    before: [
      ...before,
      ...[...servers.values()].flatMap((server) => activateServices(parts, server)),
      ...heads.flatMap(firstContent),
      ...(onCluster(parts) ? backingServers(parts).map((server) => formerAccounts(parts, server)) : []),
    ],
    publish: heads.flatMap((head) => [
      {
        kind: "ensure",
        title: `pages of ${site.domain}`,
        server: head.server,
        phase: "prepare",
        items: httpItems(head),
        remove: [{ owners: [ownerOf(parts)], ...entriesOf(head.http.role.publication) }],
        sets: membersSet(parts),
      },
      activateStep(head, `publish ${site.domain}`),
    ]),
  };
}

/** Only there may a server have served the site before that does not any longer. */
export function onCluster({ platform, heads }: Pick<SiteParts, "platform" | "heads">): boolean {
  return heads.every(({ server }) => server.id !== platform.server);
}

/** An address of nobody (RFC 5737). */
const ANOTHER_HEAD = "192.0.2.255";

/**
 * Accounts from heads that have left: of the types of which one more head would have one more, what nobody declares any
 * longer. A database is of no such type, whatever its plugin calls it now.
 */
function formerAccounts(parts: SiteParts, server: ServerRecord): EnsureStep {
  const types = backingOn(parts, server).flatMap(({ service: { role }, request, view }) => {
    const known = new Set(role.site(request, view).map((item) => JSON.stringify(item)));
    const more = role.site({ ...request, webHeads: [...request.webHeads, ANOTHER_HEAD] }, view);
    return more.filter((item) => !known.has(JSON.stringify(item))).map(({ type }) => type);
  });
  return {
    kind: "ensure",
    title: `close what ${server.name} had open for former web heads of ${parts.site.domain}`,
    server,
    phase: "clean-up",
    items: [],
    remove: types.length === 0 ? [] : [{ owners: [ownerOf(parts)], types: [...new Set(types)] }],
  };
}

/** Databases, trees and users go only by a delete task (decisions.md D16). */
function removable(parts: CommonParts): Selector {
  return { owners: [ownerOf(parts)], removal: "delete" };
}

function headStep(parts: SiteParts, head: SiteHead): EnsureStep {
  const { runtime, server, http } = head;
  return {
    kind: "ensure",
    title: `user, folders${runtime === null ? "" : `, settings and ${runtime.title}`} of ${parts.site.domain}`,
    server,
    phase: "prepare",
    items: webItems(head),
    remove: [{ ...removable(parts), except: [entriesOf(http.role.publication)] }],
    sets: membersSet(parts),
  };
}

/** The members of its cluster, for which a plan for all of its heads was made. */
export function membersSet({ platform, heads: [first, ...others] }: SiteParts): readonly AssumedSet[] {
  return clusterSet(platform, [first.server, ...others.map(({ server }) => server)]);
}

/** Puts in force what the steps before it change of the site's pages on a head. */
export function activateStep({ server, http }: SiteHead, title: string): ActivateStep {
  return { kind: "activate", title, server, phase: "prepare", service: http.record.name };
}

/**
 * Fetches the front page on each head: it must answer as its view says (`expectedStatus`), else the task is undone
 * (HW_PROBE_FAILED). `changed`: only where the plan has another action.
 */
export function probeSteps({ heads }: Pick<SiteParts, "heads">, when: RunStep["when"]): readonly RunStep[] {
  return heads.map((head) => ({
    kind: "run",
    title: `look at the page of ${head.site.domain}`,
    server: head.server,
    phase: "prepare",
    operation: "probe-page",
    input: {
      domain: head.site.domain,
      port: head.http.role.port(head.httpView),
      path: "/",
      status: expectedStatus(head.view),
    },
    when,
  }));
}

/** A head on which the site's own code runs. */
export interface RunningHead extends SiteHead {
  readonly runtime: NonNullable<SiteHead["runtime"]>;
}

/** The head on which an application is installed and asked. */
export interface ApplicationHead extends RunningHead {
  readonly application: Application;
}

/** Null for a site that is a folder of files. */
export function runningHead(head: SiteHead): RunningHead | null {
  const { runtime } = head;
  return runtime === null ? null : { ...head, runtime };
}

/** What `siteCommandStep` needs: what an application does once, it does on the first head. Null for a site without an application. */
export function applicationHead({ heads: [first] }: Pick<SiteParts, "heads">): ApplicationHead | null {
  const running = runningHead(first);
  const { application } = first.definition.role;
  return running === null || application === undefined ? null : { ...running, application };
}

/** What an application's own folders begin with on a head that is new. */
export function firstContent(head: SiteHead): readonly RunStep[] {
  const application = head.isNew ? applicationHead({ heads: [head] }) : null;
  const seed = application?.application.seed(application.view) ?? null;
  if (application === null || seed === null) return [];
  return [{ ...siteCommandStep(application, "first content", seed), owner: ownerOf(head) }];
}

/** A call of the platform's driver, as the site's user in its sandbox. */
export function siteCommandInput(head: ApplicationHead, what: string, call: DriverCall): SiteCommandInput {
  const { view, runtime, application } = head;
  const sandboxed = { ...view, binds: [...view.binds, ...(call.binds ?? [])] };
  return {
    what: `${what} of ${view.domain}`,
    properties: runtime.role.sandbox(sandboxed, runtime.view),
    argv: [...runtime.role.interpreter(view, runtime.view), `${DRIVER_FOLDER}/${application.driver.name}`],
    input: { ...call.input, command: call.command },
    timeoutMs: call.timeoutMs,
    folders: ownFolders(head),
  };
}

/** Runs the platform's driver for the site, as its user in its sandbox. @throws HW_INSTALLER_FAILED, HW_COMMAND_TIMEOUT when it is run */
export function siteCommandStep(head: ApplicationHead, title: string, call: DriverCall): RunStep {
  return {
    kind: "run",
    title: `${title} of ${head.site.domain}`,
    server: head.server,
    phase: "prepare",
    operation: "site-command",
    input: siteCommandInput(head, title, call),
    when: "always",
  };
}

/** Empties the site's own folders after the commit. */
export function emptyStep(head: RunningHead, phase: Phase): RunStep {
  const input: SiteCommandInput = {
    what: `files of ${head.site.domain}`,
    properties: head.runtime.role.sandbox(head.view, head.runtime.view),
    argv: [],
    input: {},
    timeoutMs: 600_000,
    folders: ownFolders(head),
  };
  return {
    kind: "run",
    title: `remove the files of ${head.site.domain}`,
    server: head.server,
    phase,
    operation: "empty-site",
    input,
    when: "always",
  };
}

function ownFolders({ view, definition }: SiteHead): readonly string[] {
  const seed = { id: view.id, paths: view.paths, platform: view.platform, options: view.options };
  return [
    ...definition.role.ownFolders(seed).map((folder) => `${view.paths.public}/${folder.path}`),
    view.paths.private,
    view.paths.tmp,
  ];
}

function parentsOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_part, index) => parts.slice(0, index + 1).join("/"));
}
