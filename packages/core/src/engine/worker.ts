import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { HostwrightError, isHostwrightError } from "../errors/hostwright-error.ts";
import type { HttpRole } from "../contracts/roles/http.ts";
import type { Lease, RecordRemoval, StoredTask, TaskState } from "../contracts/store.ts";
import { runSiteCommand } from "../operations/site-command.ts";
import { processHolder } from "../store/holder.ts";
import { Estate } from "./estate.ts";
import type { Residue } from "./ensure.ts";
import type { Events } from "./events.ts";
import { dropFence, type Fence } from "./fence.ts";
import { Journal } from "./journal.ts";
import type { Afterwards, PlanData, PlannedChange } from "./plan.ts";
import { publish, type PublishOptions } from "./publisher.ts";
import { collectReferences } from "../model/references.ts";
import { Runner, type RunEnd } from "./runner.ts";
import { Session } from "./session.ts";
import {
  discardDraft,
  httpRole,
  openPlan,
  planRequest,
  sealPlan,
  type EngineParts,
  type TaskRequest,
} from "./task-engine.ts";

/** How a task ended (decisions.md D42). */
export interface TaskOutcome {
  readonly state: Extract<TaskState, "succeeded" | "undone" | "needs-attention">;
  readonly value: Readonly<Record<string, unknown>>;
  /** `HostwrightError.toJSON()` of what stopped it; null when it succeeded. */
  readonly error: Readonly<Record<string, unknown>> | null;
  /** What could not be undone or cleaned up, exactly. */
  readonly residue: readonly Residue[];
}

const WAIT_MS = 50;
const HEARTBEAT_MS = 10_000;
const LOOK_MS = 300;

/** Carries out one task at a time: leases, plan, run, outcome. */
export class Worker {
  readonly #parts: EngineParts;
  readonly #events: Events;
  readonly #holder: string = processHolder();
  readonly #leased = new Set<string>();

  constructor(parts: EngineParts, events: Events) {
    this.#parts = parts;
    this.#events = events;
  }

  /** Works a queued task to its end. Gives null when another worker took it. */
  async work(taskId: string, signal: AbortSignal): Promise<TaskOutcome | null> {
    const { store } = this.#parts;
    if (!(await store.tasks.move(taskId, ["queued"], "running"))) return null;
    const task = await store.tasks.get(taskId);
    if (task === null) return null;
    const cancel = new AbortController();
    const beat = setInterval(() => void this.#beat(taskId, cancel), HEARTBEAT_MS);
    const look = setInterval(() => void this.#look(taskId, cancel), LOOK_MS);
    try {
      const end = await this.#carryOut(task, AbortSignal.any([signal, cancel.signal]));
      return await this.#finish(task.id, end);
    } finally {
      clearInterval(beat);
      clearInterval(look);
      this.#leased.delete(taskId);
    }
  }

  /** A task that only waits for its leases has none that could be lost. */
  async #beat(taskId: string, cancel: AbortController): Promise<void> {
    const held = await this.#parts.store.leases.heartbeat(taskId, this.#holder).catch(() => true);
    if (!held && this.#leased.has(taskId)) cancel.abort();
  }

  /** Was it cancelled, maybe by another process? */
  async #look(taskId: string, cancel: AbortController): Promise<void> {
    const task = await this.#parts.store.tasks.get(taskId).catch(() => null);
    if (task?.state === "cancelling") cancel.abort();
  }

  async #carryOut(
    task: StoredTask,
    signal: AbortSignal,
  ): Promise<RunEnd & { readonly plan: PlanData | null; readonly value: Record<string, unknown> }> {
    let plan: PlanData | null = null;
    try {
      const approved = task.plan === null ? null : openPlan(this.#parts.box, task);
      const { plan: ready, token } = await this.#plan(task, approved, signal);
      plan = ready;
      await this.#events.emit(task.id, "task:started", { actions: plan.actions.length });
      return await this.#run(task, plan, token, signal);
    } catch (error) {
      // Another worker has it now: it is not this one's to end.
      if (isHostwrightError(error) && error.code === "HW_LEASE_LOST") throw error;
      if (plan === null) await discardDraft(this.#parts, task.id);
      else await this.#forget(plan);
      return {
        plan,
        value: {},
        committed: false,
        error: signal.aborted ? cancelled(task.id, error) : error,
        residue: [],
      };
    }
  }

  /** Of what was never committed nothing stays: records, reserved names, secrets. */
  async #forget(plan: PlanData): Promise<void> {
    const { store, vault } = this.#parts;
    for (const removal of plan.release) await store.records.delete(removal.kind, removal.id);
    for (const prefix of [...plan.eraseOnUndo, `task/${plan.task}/`]) await vault.removePrefix(prefix);
  }

  /** An approved plan runs as it is; a request is planned under its leases (decisions.md D1). */
  async #plan(
    task: StoredTask,
    approved: PlanData | null,
    signal: AbortSignal,
  ): Promise<{ plan: PlanData; token: number }> {
    const { store, box } = this.#parts;
    let plan = approved ?? (await planRequest(this.#parts, task.request as TaskRequest, task.id, signal));
    for (;;) {
      const granted = await this.#acquire(task.id, plan, signal);
      const token = Math.max(...granted.map((lease) => lease.token));
      if (approved !== null) return { plan, token };
      const again = await planRequest(this.#parts, task.request as TaskRequest, task.id, signal);
      const covered = again.leases.every((want) =>
        granted.some((lease) => lease.scope === want.scope && (lease.mode === "exclusive" || want.mode === "shared")),
      );
      plan = again;
      if (covered) {
        await store.tasks.move(task.id, ["running"], "running", { plan: sealPlan(box, plan) });
        return { plan, token };
      }
      this.#leased.delete(task.id);
      await store.leases.release(task.id, undefined, this.#holder);
    }
  }

  async #acquire(taskId: string, plan: PlanData, signal: AbortSignal): Promise<readonly Lease[]> {
    const { leases } = this.#parts.store;
    let told = false;
    for (;;) {
      signal.throwIfAborted();
      const answer = await leases.acquire(taskId, this.#holder, plan.leases);
      if ("granted" in answer) {
        this.#leased.add(taskId);
        return answer.granted;
      }
      if (!told) {
        const blockedBy = answer.blockedBy.map(({ task, scope }) => ({ task, scope }));
        await this.#events.emit(taskId, "task:waiting", { blockedBy });
        told = true;
      }
      await delay(WAIT_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #run(
    task: StoredTask,
    plan: PlanData,
    token: number,
    signal: AbortSignal,
  ): Promise<RunEnd & { plan: PlanData; value: Record<string, unknown> }> {
    const { registry, store, vault, box, pool, operations } = this.#parts;
    for (const change of plan.reserve) await store.records.put(change, change);
    const estate = await Estate.load(store.records, registry);
    const identity = await store.identity();
    const [lease] = plan.leases;
    const fence: Fence = { scope: lease?.scope ?? `task/${task.id}`, ...identity, token };
    await using session = new Session({ pool, load: async (ids) => vault.load(ids), fence, signal });
    const journal = new Journal(store.journal, box, this.#holder);
    const runner = new Runner(
      {
        registry,
        register: store.register,
        journal,
        events: this.#events,
        session,
        operations,
        fingerprint: (text) => box.fingerprint(text),
        server: (id) => estate.server(id),
        keep: async (name, value) => vault.put(taskSecret(task.id, name), value),
        publish: async (taskId, server, service, using, changes) => {
          const role = httpRole(this.#parts, server, service);
          const { generation, reloaded, changed } = await publish(
            await using.target(server),
            role,
            publishOptions(role, changes),
          );
          if (!changed) return;
          await this.#events.emit(taskId, "publication:published", {
            server: server.name,
            service,
            generation,
            reloaded,
          });
        },
      },
      plan,
    );
    const end = await runner.run(async () => this.#commit(plan));
    const value: Record<string, unknown> = end.committed ? { ...plan.value } : {};
    const residue = [...end.residue];
    if (end.committed && plan.afterwards !== null) {
      try {
        await using late = session.apart();
        Object.assign(value, await this.#afterwards(plan, plan.afterwards, estate, late));
      } catch (error) {
        // A plan without actions was made for this answer alone.
        if (plan.actions.length === 0) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        residue.push({ server: plan.afterwards.server, type: "run", key: plan.afterwards.input.what, reason });
      }
    }
    const undone = !end.committed && end.residue.length === 0;
    if (undone) await this.#forget(plan);
    if (undone || end.committed)
      await this.#dropFences(plan, end.committed ? plan.commit.deleteRecords : plan.release, estate);
    return { ...end, residue, plan, value };
  }

  /** A fence that stays because its server is away harms nobody: its scope is never used again. */
  async #dropFences(plan: PlanData, gone: readonly RecordRemoval[], estate: Estate): Promise<void> {
    const servers = [...new Set(plan.actions.map((action) => action.server))];
    const drops = gone.flatMap(({ kind, id }) =>
      servers.map(async (server) => dropFence(await this.#parts.pool.get(estate.server(server)), `${kind}/${id}`)),
    );
    await Promise.allSettled(drops);
  }

  async #commit(plan: PlanData): Promise<void> {
    const { store, vault } = this.#parts;
    const hold = ({
      server,
      type,
      key,
      owner,
    }: PlanData["register"][number]): { server: string; type: string; key: string; owner: string } => ({
      server,
      type,
      key,
      owner,
    });
    await store.journal.commit(
      plan.task,
      new Date().toISOString(),
      {
        ...plan.commit,
        register: {
          put: plan.register.filter((row) => !row.gone).map(({ gone: _gone, ...row }) => row),
          remove: plan.register.filter((row) => row.gone).map(hold),
        },
      },
      this.#holder,
    );
    // It is committed: nothing that fails from here on may undo it.
    await Promise.allSettled([
      this.#events.emit(plan.task, "task:committed", {}),
      ...plan.eraseOnCommit.map(async (prefix) => vault.removePrefix(prefix)),
    ]);
  }

  /** The answer is a secret of the task: sealed, and given out by reference (decisions.md D42). */
  async #afterwards(
    plan: PlanData,
    afterwards: Afterwards,
    estate: Estate,
    session: Session,
  ): Promise<Record<string, unknown>> {
    const { vault, store } = this.#parts;
    const id = taskSecret(plan.task, "login-link");
    // The installer may have given one already.
    if (!(await store.secrets.get([id])).has(id)) {
      await session.loadSecrets(collectReferences(afterwards.input));
      const target = await session.target(estate.server(afterwards.server));
      const attempt = randomBytes(9).toString("hex");
      const keep = async (name: string, value: string): Promise<void> => vault.put(taskSecret(plan.task, name), value);
      await runSiteCommand(
        { target, view: null, attempt, log: () => undefined, redact: session.redact, keep },
        afterwards.input,
      );
    }
    requireOwnUrl((await vault.load([id])).get(id), afterwards);
    return {
      loginLink: { ref: "secret", id, label: "login link" },
      loginLinkExpires: new Date(Date.now() + afterwards.validSeconds * 1000).toISOString(),
    };
  }

  async #finish(
    taskId: string,
    end: RunEnd & { readonly plan: PlanData | null; readonly value: Record<string, unknown> },
  ): Promise<TaskOutcome> {
    const { store } = this.#parts;
    const state = end.committed ? "succeeded" : end.residue.length === 0 ? "undone" : "needs-attention";
    const error = end.error === null ? null : errorJson(end.error);
    const outcome: TaskOutcome = { state, value: end.value, error, residue: end.residue };
    await store.tasks.move(taskId, ["running", "cancelling", "undoing"], state, {
      outcome,
      finishedAt: new Date().toISOString(),
    });
    if (state !== "needs-attention") {
      await store.journal.eraseUndo(taskId);
      await store.leases.release(taskId, undefined, this.#holder);
    } else {
      // The site stays leased until somebody resolved it; the server is free for others (decisions.md D9).
      const keep = end.plan?.leases[0]?.scope;
      await store.leases.release(
        taskId,
        end.plan?.leases.map((lease) => lease.scope).filter((scope) => scope !== keep) ?? [],
        this.#holder,
      );
    }
    await this.#events.emit(taskId, "task:finished", { state, error, residue: end.residue });
    return outcome;
  }
}

/**
 * A task answers for the entries that it changed: another's broken one is held back and does not fail it. Files besides
 * the entries need a reload of their own. Without any change all that waits is published, and all of it counts.
 */
function publishOptions({ publication }: HttpRole, changes: readonly PlannedChange[]): PublishOptions {
  if (changes.length === 0) return {};
  const entries = `${publication.root}/entries/`;
  const files = changes.filter((change) => change.type === "file").map((change) => change.key);
  const own = files.filter((path) => path.startsWith(entries));
  return { force: own.length < files.length, own: own.map((path) => path.slice(entries.length)) };
}

/** The answer comes from code that the site's owner can change: a link to another host is refused. */
function requireOwnUrl(url: string | undefined, { domain, input }: Afterwards): void {
  const parsed = url === undefined ? null : URL.parse(url);
  if (parsed !== null && ["http:", "https:"].includes(parsed.protocol) && parsed.hostname === domain) return;
  throw new HostwrightError(
    "HW_INSTALLER_FAILED",
    `${input.what}: the application gave a link that is not one of ${domain}.`,
    {
      mend: "Look at the site's own code: a plugin or drop-in of it answers in the application's place.",
    },
  );
}

function taskSecret(task: string, name: string): string {
  return `task/${task}/${name}`;
}

function errorJson(error: unknown): Record<string, unknown> {
  if (isHostwrightError(error)) return error.toJSON();
  const message = error instanceof Error ? error.message : String(error);
  return new HostwrightError("HW_INTERNAL", message, { cause: error }).toJSON();
}

function cancelled(taskId: string, cause: unknown): HostwrightError {
  return new HostwrightError(
    "HW_CANCELLED",
    `Task ${taskId} was cancelled before its first action. Nothing was changed.`,
    {
      mend: "Submit it again when it is wanted.",
      cause,
    },
  );
}
