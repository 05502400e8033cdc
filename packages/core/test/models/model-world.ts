import { Server, type CommandResult, type Script, type ServerStats } from "../../src/model/server.ts";
import type { Change } from "../../src/contracts/resource.ts";
import { HostwrightError } from "../../src/errors/hostwright-error.ts";
import { failure, type Chaos, type Life } from "./chaos.ts";

export interface ModelState {
  readonly value: string;
}

/** A thing on a server; `taken` is the value of what it follows (a unit its file) when it was set. */
export interface Standing extends ModelState {
  readonly taken?: string | undefined;
}

/** Changes of one script, which its server makes one after the other under its fence. */
interface Work {
  readonly life: Life;
  readonly scope: string;
  readonly token: number;
  readonly type: string;
  readonly changes: readonly Change<ModelState>[];
}

export interface Effect {
  readonly server: string;
  readonly scope: string;
  readonly place: string;
}

interface Answer {
  readonly exitCode: number;
  readonly said: string;
}

const DONE: Answer = { exitCode: 0, said: "" };
export const CHANGED = 3;
const FENCED = 121;

export function followed(place: string): string | null {
  return place.startsWith("unit ") ? place.replace("unit", "file") : null;
}

/** A server in memory: things by place, `type key`, fences as the engine's script keeps them, and late scripts. */
export class ModelHost {
  readonly name: string;
  readonly things = new Map<string, Standing>();
  /** Told of every effect before it happens, but for those of a script that goes on after its worker gave it up. */
  onEffect: (effect: Effect) => void = () => undefined;
  readonly wrong: string[];
  readonly #fences = new Map<string, number>();
  /** Highest token that had an effect, whatever the fence says. */
  readonly #effective = new Map<string, number>();
  #running: Work[] = [];

  constructor(name: string, wrong: string[]) {
    this.name = name;
    this.wrong = wrong;
  }

  /** A thing as it is read: one that follows another and did not take up its present state says so. */
  read(place: string): ModelState | undefined {
    const standing = this.things.get(place);
    const follows = followed(place);
    if (standing === undefined || follows === null) return standing && { value: standing.value };
    const stale = this.things.get(follows)?.value !== standing.taken;
    return { value: `${standing.value}${stale ? " (stale)" : ""}` };
  }

  /** A script comes in: whatever of its scope runs ends first, as under a flock; then its fence is judged. */
  arrive(work: Work): Answer {
    this.end(work.scope);
    const seen = this.#fences.get(work.scope) ?? 0;
    if (seen > work.token) return { exitCode: FENCED, said: `scope 1 ${seen}\n` };
    this.#fences.set(work.scope, work.token);
    return this.#make(work);
  }

  /** It has passed its fence and goes on by itself. */
  begin(work: Work, made: number): void {
    const { exitCode } = this.arrive({ ...work, changes: work.changes.slice(0, made) });
    if (exitCode === 0) this.#running.push({ ...work, changes: work.changes.slice(made) });
  }

  end(scope: string): void {
    const ending = this.#running.filter((work) => work.scope === scope);
    this.#running = this.#running.filter((work) => work.scope !== scope);
    for (const work of ending) this.#make(work, true);
  }

  endAll(): void {
    for (const { scope } of this.#running) this.end(scope);
  }

  dropFence(scope: string): void {
    this.#fences.delete(scope);
  }

  #make({ type, changes, token, scope, life }: Work, isLate: boolean = false): Answer {
    for (const { key, before, after } of changes) {
      const place = `${type} ${key}`;
      const now = this.read(place)?.value;
      if (now === after?.value && before?.value !== after?.value) continue;
      if (now !== before?.value) return { exitCode: CHANGED, said: key };
      if ((this.#effective.get(scope) ?? 0) > token) {
        this.wrong.push(`${life.holder} changed ${place} on ${this.name} after a later holder of ${scope}`);
      }
      this.#effective.set(scope, token);
      if (!isLate) this.onEffect({ server: this.name, scope, place });
      if (after === null) this.things.delete(place);
      else this.things.set(place, { value: after.value, taken: this.#taken(place) });
    }
    return DONE;
  }

  #taken(place: string): string | undefined {
    return this.things.get(followed(place) ?? "")?.value;
  }
}

/** A host as one worker sees it: every script may go wrong, and a dead worker reaches it no more. */
export class ModelServer extends Server {
  readonly stats: ServerStats = { connections: 0, roundTrips: 0, bytesSent: 0, bytesReceived: 0 };
  readonly host: ModelHost;
  readonly #index: number;
  readonly #chaos: Chaos;
  readonly #life: Life;

  constructor(host: ModelHost, index: number, chaos: Chaos, life: Life) {
    super(host.name);
    this.host = host;
    this.#index = index;
    this.#chaos = chaos;
    this.#life = life;
  }

  read(place: string): ModelState | undefined {
    this.#life.require();
    if (this.#chaos.isDown(this.#index)) throw unreachable(this.name);
    return this.host.read(place);
  }

  async script({ script, args = [] }: Script): Promise<CommandResult> {
    this.#life.require();
    // As `runFenced` passes them; what comes without are the engine's own looks at a fence.
    const [, scope = "", , , token, , , , inner, type = "", changes = "[]"] = args;
    const what = `${this.#life.holder} ${this.name} ${inner ?? "looks"} ${type} ${changes}`;
    const trouble = this.#chaos.next("script", what);
    if (this.#chaos.isDown(this.#index)) throw unreachable(this.name);
    if (inner === undefined) return this.#look(script, scope, trouble?.kind === "die");
    const work: Work = {
      life: this.#life,
      scope,
      token: Number(token),
      type,
      changes: JSON.parse(changes) as Work["changes"],
    };
    const half = work.changes.slice(0, Math.ceil(work.changes.length / 2));
    if (trouble === null || trouble.kind === "busy") return result(this.host.arrive(work));
    const took = trouble.kind === "die" ? trouble.when : trouble.took;
    if (trouble.kind === "hang" || took === "running") this.host.begin(work, took === "half" ? half.length : 0);
    else if (took === "half") this.host.arrive({ ...work, changes: half });
    else if (took === "all" || took === "after") this.host.arrive(work);
    else if (trouble.kind === "die" && took === "transit")
      this.#chaos.later(trouble.late, () => this.host.arrive(work));
    if (trouble.kind === "die") this.#life.die();
    if (trouble.kind === "hang") throw new HostwrightError("HW_COMMAND_TIMEOUT", "it hangs", { retryable: true });
    throw failure(trouble.passing);
  }

  async run(): Promise<CommandResult> {
    return result(DONE);
  }

  async forward(): Promise<never> {
    throw new Error(`${this.name} is a model`);
  }

  async close(): Promise<void> {}

  #look(script: string, scope: string, dies: boolean): CommandResult {
    if (dies) this.#life.die();
    if (script.includes("rm -f")) this.host.dropFence(scope);
    return result(DONE);
  }
}

function unreachable(server: string): HostwrightError {
  return new HostwrightError("HW_SSH_UNREACHABLE", `${server} does not answer`, { server, retryable: true });
}

function result({ exitCode, said }: Answer): CommandResult {
  const common = { signal: null, stderr: "", timedOut: false, aborted: false, truncated: false };
  return { exitCode, stdout: Buffer.from(said), ...common };
}
