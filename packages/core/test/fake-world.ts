import * as z from "zod";
import type { Change, ResourceType } from "../src/contracts/resource.ts";
import { Server, type CommandResult, type Script, type ServerStats } from "../src/model/server.ts";
import { HostwrightError } from "../src/errors/hostwright-error.ts";
import { resolveText, showText, type Text } from "../src/model/text.ts";

export interface FakeSpec {
  readonly key: string;
  readonly value: Text;
}

export interface FakeState {
  readonly value: string;
}

interface Standing extends FakeState {
  /** Value of the followed thing when this was set: another one now makes it stale. */
  readonly taken?: string | undefined;
}

export interface FakeTypeOptions extends Pick<Partial<ResourceType>, "rank" | "removal"> {
  /** Place of the thing that this one takes up when it is set, as a unit takes up its file. */
  readonly follows?: (key: string) => string;
}

const SCHEMA: z.ZodType<FakeSpec> = z.custom<FakeSpec>();

/** Servers in memory, each a map of `type key` to state, and everything that was done to them in order. */
export class FakeWorld {
  readonly effects: string[] = [];
  /** What changes that were stopped half way left beside their things, until it is replaced or cleared. */
  readonly halfMade: Set<string> = new Set();
  /** Called before each single change takes effect; throwing makes it fail there. */
  onEffect: (server: string, type: string, key: string) => void = () => undefined;
  /** Called after it: throwing makes a change fail that took effect all the same, as a lost connection does. */
  afterEffect: (server: string, type: string, key: string) => void = () => undefined;
  readonly #servers = new Map<string, Map<string, Standing>>();

  states(server: string): Map<string, Standing> {
    let states = this.#servers.get(server);
    if (states === undefined) this.#servers.set(server, (states = new Map<string, Standing>()));
    return states;
  }

  snapshot(): Record<string, Record<string, string>> {
    const servers = [...this.#servers].map(([name, states]) => {
      const values = [...states].map(([key, { value }]) => [key, value] as const);
      return [name, Object.fromEntries(values.toSorted(([a], [b]) => (a < b ? -1 : 1)))] as const;
    });
    return Object.fromEntries(servers);
  }

  /** A resource type over this world: compare-and-set, one change after the other. */
  type(
    name: string,
    { rank = 40, removal = "delete", follows }: FakeTypeOptions = {},
  ): ResourceType<FakeSpec, FakeState> {
    const read = (server: string, key: string): FakeState | undefined => {
      const states = this.states(server);
      const state = states.get(`${name} ${key}`);
      if (state === undefined || follows === undefined) return state;
      const stale = states.get(follows(key))?.value !== state.taken;
      return { value: `${state.value}${stale ? " (stale)" : ""}` };
    };
    const set = (server: string, { key, before, after }: Change<FakeState>): void => {
      const states = this.states(server);
      const now = read(server, key)?.value;
      if (now === after?.value && before?.value !== after?.value) return;
      if (now !== before?.value) {
        throw new HostwrightError("HW_RESOURCE_CHANGED", `${name} ${key} on ${server} is not as it was.`, { server });
      }
      this.halfMade.add(`${server} ${name} ${key}`);
      this.onEffect(server, name, key);
      this.effects.push(`${server} ${after === null ? "-" : before === null ? "+" : "~"} ${name} ${key}`);
      if (after === null) states.delete(`${name} ${key}`);
      else states.set(`${name} ${key}`, { value: after.value, taken: states.get(follows?.(key) ?? "")?.value });
      this.halfMade.delete(`${server} ${name} ${key}`);
      this.afterEffect(server, name, key);
    };
    return {
      name,
      schema: SCHEMA,
      rank,
      removal,
      ...(follows && { refreshedBy: (key, other) => follows(key) === `${other.type} ${other.key}` }),
      key: ({ key }) => key,
      desired: ({ value }, resolve) => ({ value: resolveText(value, resolve) }),
      read: async ({ server }, keys) => {
        const present = keys.map((key) => [key, read(server.name, key)] as const);
        return new Map(present.flatMap(([key, state]) => (state === undefined ? [] : [[key, state] as const])));
      },
      identity: ({ value }) => ({ value }),
      apply: async ({ server, signal }, changes) => {
        for (const change of changes) {
          signal.throwIfAborted();
          set(server.name, change);
        }
      },
      clear: async ({ server }, keys) => {
        for (const key of keys) this.halfMade.delete(`${server.name} ${name} ${key}`);
      },
      showSpec: ({ value }) => showText(value),
      showState: ({ value }, spec) => (typeof spec?.value === "string" ? value : "(hidden)"),
    };
  }
}

/** A server without a machine: only fake resource types work on it. */
export class FakeServer extends Server {
  readonly stats: ServerStats = { connections: 0, roundTrips: 0, bytesSent: 0, bytesReceived: 0 };
  closed = false;

  // oxlint-disable-next-line eslint/no-useless-constructor -- that of Server is protected
  constructor(name: string) {
    super(name);
  }

  /** Every command ends well; to a batch it answers that all of them did too, without output. */
  async run(): Promise<CommandResult> {
    const stdout = Buffer.from("0\0".repeat(3 * 64));
    return { exitCode: 0, signal: null, stdout, stderr: "", timedOut: false, aborted: false, truncated: false };
  }

  async script(_script: Script): Promise<CommandResult> {
    return this.run();
  }

  async forward(): Promise<never> {
    throw new Error(`${this.name} is a fake`);
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
