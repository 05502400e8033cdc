import type { FactsWanted } from "../../contracts/facts.ts";
import type { Planning, PreviewValue, Registered, RegisteredQuery } from "../../contracts/planning.ts";
import type { PlainRequest } from "../../contracts/task.ts";
import type { Publication } from "../../contracts/publication.ts";
import type { RegisterStore, StateStore } from "../../contracts/store.ts";
import { HostwrightError, isHostwrightError } from "../../errors/hostwright-error.ts";
import { canonicalJson } from "../../model/canonical.ts";
import type { ServerRecord } from "../../model/records.ts";
import type { Reference } from "../../model/text.ts";
import type { SecretVault } from "../../store/secrets.ts";
import { pendingPublication, type Pending } from "../publishing/publisher.ts";
import type { Registry } from "../plugins/registry.ts";
import { refuseClaimed } from "../sessions/claim.ts";
import type { Session } from "../sessions/session.ts";
import { draftOf, makeDraft, type IdRange } from "./drafts.ts";
import { readFacts, type FactsParts, type ReadFacts } from "./facts.ts";
import type { LoadedInventory } from "./loaded-inventory.ts";
import type { ParsedRequest } from "./parse-request.ts";
import type { PlanData } from "./plan.ts";
import { isEmpty, renderPlan } from "./render-plan.ts";
import { addressKey } from "./resource-states.ts";
import { timeText, type Clock } from "../../model/time.ts";

/** A request that is planned. */
export interface Asked {
  readonly parsed: ParsedRequest;
  readonly inventory: LoadedInventory;
  readonly taskId: string;
}

export interface PlanningParts {
  readonly registry: Registry;
  readonly store: StateStore;
  readonly vault: SecretVault;
  readonly session: Session;
  readonly uids: IdRange;
  /** Of this hub, as its claims name it. */
  readonly home: string;
  readonly clock: Clock;
  /** Plans another request and keeps the plan. */
  readonly makePlan: (request: PlainRequest) => Promise<PlanData>;
}

interface Open {
  /** All that a task is planned with. */
  readonly planning: Planning;
  /** What waits in the entries of one of a server's services, read once. */
  readonly pending: (server: ServerRecord, publication: Publication) => Promise<Pending>;
  /** Id of the site that was drawn meanwhile. */
  readonly drawn: () => string | null;
}

/** What a task is planned with: the one place that says what of the engine a task may have. */
export function planningOf(parts: PlanningParts, { parsed, inventory, taskId }: Asked): Open {
  const { registry, store, vault, session, uids, home, clock } = parts;
  const { records, register } = store;
  const read = factsReader({ session, inventory, uids });
  const pending = pendingReader(session);
  const facts = async (server: ServerRecord, wanted?: FactsWanted): Promise<ReadFacts> => {
    const found = await read(server, wanted);
    refuseClaimed(server.name, found.claim, (await store.identity()).installation);
    return found;
  };
  let drawn: string | null = null;
  let drawnAs: string | null = null;
  const planning: Planning = {
    task: taskId,
    signal: session.signal,
    inventory,
    facts,
    viewOf: async ({ server, record }) => inventory.serverView(server, record, (await facts(server)).of(record)),
    // What resource types resolve is in memory already, and not the task's.
    target: async (server) => ({ ...(await session.target(server)), resolve: refuseSecret }),
    claimOf: async (server) => {
      const [{ claim: holder }, { installation }] = await Promise.all([read(server), store.identity()]);
      return { holder, own: { installation, home, since: timeText(clock) } };
    },
    registered: async (server, query) => registeredOn({ register, registry }, server, query),
    keyOf: ({ type, spec }) => registry.resourceType(type).key(spec),
    quarantined: async (server, publication) => (await pending(server, publication)).quarantined,
    hasSecret: async (id) =>
      vault.load([id]).then(
        () => true,
        (error: unknown) => {
          if (isHostwrightError(error) && error.code === "HW_SECRET_UNREADABLE") return false;
          throw error;
        },
      ),
    drawnSite: async () => {
      const draft = await draftOf(records, taskId);
      return draft === null ? null : inventory.readDraft(draft);
    },
    drawSite: async (wanted) => {
      const asked = canonicalJson(wanted);
      if (drawnAs !== null && drawnAs !== asked) throw secondSite(parsed);
      drawnAs = asked;
      const heads = inventory.members(inventory.server(inventory.platform(wanted.platform).server));
      const taken = await Promise.all(heads.map(async (head) => (await facts(head, { taken: true })).usedIds));
      const used = new Set(taken.flatMap((ids) => [...ids]));
      const site = (await draftOf(records, taskId)) ?? (await makeDraft(records, taskId, wanted, { ...uids, used }));
      drawn = site.id;
      return inventory.readDraft(site);
    },
    preview: async (request) => {
      requireStoodFor(parsed, request);
      return previewOf(await parts.makePlan(request));
    },
  };
  return { planning, pending, drawn: () => drawn };
}

function secondSite({ type }: ParsedRequest): HostwrightError {
  const what = `${type.type} asked for a second site: a task makes one. Nothing was changed.`;
  return new HostwrightError("HW_INTERNAL", what, { remedy: "Make each by a task of its own, as children of one." });
}

function refuseSecret({ label }: Reference): never {
  throw new HostwrightError(
    "HW_INTERNAL",
    `A task asked for ${label} while it was planned: plans have references. Nothing was changed.`,
  );
}

/** Whose right was asked is what it stands for. */
function requireStoodFor({ type, input }: ParsedRequest, request: { readonly type: string }): void {
  const wanted = canonicalJson(request);
  if (type.standsFor?.(input).some((one) => canonicalJson(one) === wanted) === true) return;
  throw new HostwrightError(
    "HW_INTERNAL",
    `${type.type} plans ${request.type}, for which it does not stand. Nothing was changed.`,
  );
}

function previewOf(plan: PlanData): PreviewValue {
  const { id, hash, title, expiresAt } = plan;
  return { plan: id, hash, title, expiresAt, empty: isEmpty(plan), text: renderPlan(plan) };
}

async function registeredOn(
  { register, registry }: { readonly register: RegisterStore; readonly registry: Registry },
  { id: server }: ServerRecord,
  { owners = [], resources = [], orphans = false, allBut }: RegisteredQuery,
): Promise<readonly Registered[]> {
  const others = orphans || allBut !== undefined ? await register.owners(server) : [];
  const spared = new Set(allBut);
  const left = others.filter(({ owner, hasRecord }) => {
    const isAsked = hasRecord ? allBut !== undefined && !spared.has(owner) : orphans;
    return isAsked && /^(?:site|platform)\//.test(owner);
  });
  const whose = new Set([...owners, ...left.map(({ owner }) => owner)]);
  if (whose.size + resources.length === 0) return [];
  const wanted = new Set(resources.map(({ type, key }) => addressKey(type, key)));
  return (await register.about(server, [...whose], resources))
    .filter(({ owner, type, key }) => whose.has(owner) || wanted.has(addressKey(type, key)))
    .map(({ type, key, owner }) => {
      const found = registry.findResourceType(type);
      return { server, type, key, owner, known: found !== undefined, removal: found?.removal ?? null };
    });
}

function pendingReader(session: Session): Open["pending"] {
  const known = new Map<string, Promise<Pending>>();
  return async (server, publication) => {
    const key = `${server.id}\n${publication.root}`;
    const reading =
      known.get(key) ?? session.target(server).then(async (target) => pendingPublication(target, publication));
    known.set(key, reading);
    return reading;
  };
}

/** Reads a server's facts once in a planning, and again only for one who wants more than was read. */
function factsReader(parts: FactsParts): (server: ServerRecord, wanted?: FactsWanted) => Promise<ReadFacts> {
  const known = new Map<string, { readonly wanted: FactsWanted; readonly facts: Promise<ReadFacts> }[]>();
  return async (server, wanted = {}) => {
    const readings = known.get(server.id) ?? [];
    const covers = (had: FactsWanted): boolean =>
      (had.taken ?? false) >= (wanted.taken ?? false) && (had.standing ?? false) >= (wanted.standing ?? false);
    const reading = readings.find((one) => covers(one.wanted)) ?? { wanted, facts: readFacts(parts, server, wanted) };
    if (!readings.includes(reading)) known.set(server.id, [...readings, reading]);
    return reading.facts;
  };
}
