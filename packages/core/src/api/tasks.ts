import * as z from "zod";
import type { ListedTask, TaskState } from "../contracts/store.ts";
import type { PlainRequest } from "../contracts/task.ts";
import { titleOf } from "../engine/planning/parse-request.ts";
import type { EngineParts } from "../engine/planning/task-engine.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { plainName } from "../model/domain.ts";
import { parseInput } from "../model/parse.ts";
import type { PolicyObject } from "../contracts/policy-object.ts";
import type { Access } from "./access.ts";
import { objectNamed, objectOf } from "../engine/planning/policy-object.ts";

const STATES = ["queued", "running", "cancelling", "undoing", "succeeded", "undone", "needs-attention"] as const;
const MOST = 500;
/** Read at once at least: an actor may not see all of them. */
const FEW = 50;
/** Tasks that one call looks at: a rare one is looked for page by page, so that no call takes long. */
const MOST_READ = 2_000;

const Filter = z.strictObject({
  state: z
    .union([z.enum(STATES), z.array(z.enum(STATES)).readonly()], "a state of tasks, or a list of them")
    .optional(),
  type: z.string().min(1).max(100).optional(),
  subject: z.string().min(1).max(300).optional(),
  actor: z.string().min(1).max(300).optional(),
  parent: z.string().min(1).max(100).optional(),
  after: z.string().min(1).max(100).nullable().optional(),
  limit: z.int().min(1).max(MOST).optional(),
});

export interface TaskFilter {
  /** Default: all. */
  readonly state?: TaskState | readonly TaskState[];
  /** `site:install`. */
  readonly type?: string;
  /** What it is about: name, id or domain of a server, platform or site, with or without `@`. */
  readonly subject?: string;
  /** Id of who submitted it; `system` for the application itself. */
  readonly actor?: string;
  /** Id of the task whose children they are. */
  readonly parent?: string;
  /** `next` of the page before; default: from the newest on. */
  readonly after?: string | null;
  /** Tasks of a page, 1 to 500; default 50. */
  readonly limit?: number;
}

/** A task in a list; `hw.task(id)` has the rest. */
export interface TaskSummary {
  readonly id: string;
  /** `site:install`. */
  readonly type: string;
  /** What a person calls it: `install example.com on wp-6.8`. */
  readonly title: string;
  readonly subject: PolicyObject;
  readonly state: TaskState;
  readonly actor: string;
  /** Id of the task whose child it is; null where somebody asked for it. */
  readonly parent: string | null;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** Null while it has not ended. */
  readonly finishedAt: string | null;
}

export interface TaskPage {
  /** The newest first. May be fewer than `limit`, or none, before the last page. */
  readonly tasks: readonly TaskSummary[];
  /** Where the next page begins; null after the last one. */
  readonly next: string | null;
}

/** The tasks of an installation, for one actor: what it may not see is not there. */
export class Tasks {
  readonly #engine: EngineParts;
  readonly #access: Access;

  constructor(engine: EngineParts, access: Access) {
    this.#engine = engine;
    this.#access = access;
  }

  /** One task, as in a list. @throws HW_NOT_FOUND when there is none that the actor may see */
  async get(id: string): Promise<TaskSummary> {
    const task = await this.#engine.store.tasks.get(id);
    const about = await objectOf(this.#engine, task?.request);
    if (task !== null && (await this.#access.seesTask(task.actor, async () => about)))
      return this.#summary(task, about);
    throw new HostwrightError("HW_NOT_FOUND", `There is no task "${id.slice(0, 100)}".`);
  }

  /** A page of tasks, the last submitted first. @throws HW_INPUT_INVALID */
  async list(filter: TaskFilter = {}): Promise<TaskPage> {
    const { state, type, actor, parent, subject, after = null, limit = 50 } = parseInput(Filter, filter, "tasks.list");
    const states = state === undefined || typeof state !== "string" ? state : [state];
    const wanted = subject === undefined ? null : await this.#subject(subject);
    const names = new Map<string, Promise<PolicyObject>>();
    const found: TaskSummary[] = [];
    let cursor = after;
    // The store finds the others by itself.
    const size = type === undefined && actor === undefined ? Math.max(limit, FEW) : MOST;
    for (let read = 0; read < MOST_READ; read += size) {
      const from = cursor === null ? {} : { after: cursor };
      const page = await this.#engine.store.tasks.list({
        newest: true,
        limit: size,
        ...from,
        ...(states && { states }),
        ...(parent !== undefined && { parent }),
        ...(wanted !== null && { about: [...wanted] }),
      });
      for (const task of page) {
        cursor = task.id;
        if ((type ?? task.type) !== task.type || (actor ?? task.actor) !== task.actor) continue;
        const about = await this.#about(task, names);
        if (wanted !== null && !wanted.has(about.name)) continue;
        if (!(await this.#access.seesTask(task.actor, async () => about))) continue;
        found.push(this.#summary(task, about));
        if (found.length === limit) return { tasks: found, next: task.id };
      }
      if (page.length < size) return { tasks: found, next: null };
    }
    return { tasks: found, next: cursor };
  }

  /** Every name under which a task may be about it: of what is gone only the one that the request has. */
  async #subject(given: string): Promise<ReadonlySet<string>> {
    const name = plainName(given);
    const { name: known } = await objectNamed(this.#engine, name);
    return new Set([name, known]);
  }

  /** One look at the records for all tasks of a page about the same. */
  async #about({ request }: ListedTask, names: Map<string, Promise<PolicyObject>>): Promise<PolicyObject> {
    const key = JSON.stringify(request);
    const known = names.get(key) ?? objectOf(this.#engine, request);
    names.set(key, known);
    return known;
  }

  #summary(task: ListedTask, subject: PolicyObject): TaskSummary {
    const { id, type, state, actor, parent, createdAt, finishedAt } = task;
    const title = titleOf(this.#engine, task.request as PlainRequest);
    return { id, type, title, subject, state, actor, parent, createdAt, finishedAt };
  }
}
