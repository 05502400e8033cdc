import { join } from "node:path";
import { createHostwright, local, PART, provide, type Hostwright } from "@hostwright/core";
import type { RecordStore } from "../../packages/core/src/contracts/store.ts";
import type { AnyTaskType } from "../../packages/core/src/contracts/task.ts";
import { defineTask } from "../../packages/core/src/plugin-kit/define-task.ts";
import { Telemetry } from "../../packages/core/src/engine/telemetry.ts";
import { runStep } from "../../packages/core/test/fake-engine.ts";
import * as z from "zod";
import { postgresStore } from "../../examples/plugins/postgres-store.ts";
import { soakPlugin, type Entry } from "./effects.ts";
import { YardServer } from "./yard-server.ts";

/** Where a soak happens. */
export interface Place {
  readonly stateDir: string;
  /** Holds the sites' files and the servers' fences, and is no part of the store. */
  readonly yard: string;
  readonly leaseMs: number;
  /** URL of the database that holds the state; default: files in the state folder. */
  readonly database?: string;
}

/** Two minutes: what is over goes while the soak goes on, and its sizes come to rest. */
const KEPT_DAYS = 2 / (24 * 60);

const Input = z.strictObject({
  server: z.string(),
  /** Null: it has the server alone. */
  site: z.string().nullable(),
  number: z.int(),
  kind: z.enum(["append", "set", "fail"]),
});
export type SoakRequest = z.output<typeof Input>;

export function fileOf({ yard }: Place, { server, site }: Pick<SoakRequest, "server" | "site">): string {
  return join(yard, site ?? server);
}

/** A file with the number of the last task that sets it. */
export function valueOf(place: Place, request: Pick<SoakRequest, "server" | "site">): string {
  return `${fileOf(place, request)}.value`;
}

function soakTask(place: Place): AnyTaskType {
  return defineTask({
    type: "soak:work",
    version: 1,
    input: Input,
    value: z.strictObject({}),
    request: (input: SoakRequest) => input,
    title: ({ kind, number }) => `${kind} ${number}`,
    subject: ({ site, server }) => (site === null ? { server } : { site }),
    plan: async ({ inventory, task }, request) => {
      const { site, number, kind } = request;
      const server = inventory.server(request.server);
      const owner = site === null ? `server/${server.id}` : `site/${site}`;
      const entry: Entry = { file: fileOf(place, request), task, number };
      const step = { kind: "ensure", title: "set", server, phase: "prepare" } as const;
      const spec = { file: valueOf(place, request), value: String(number) };
      const input = { input: entry, server, phase: "prepare", when: "always" } as const;
      return {
        title: `${kind} ${number} of ${owner}`,
        about: [owner],
        steps: [
          ...(kind === "set" ? [{ ...step, items: [{ type: "soak-value", spec, owner }] }] : []),
          runStep(server.id, "soak-append", input),
          ...(kind === "fail" ? [runStep(server.id, "soak-fail", input)] : []),
        ],
        value: {},
      };
    },
  });
}

/** A soak's instance, and the records that its facade makes by tasks only. */
export interface SoakInstance {
  readonly hw: Hostwright;
  readonly records: RecordStore;
}

/** A whole instance with its real store, whose one task writes lines into files under the fence of its site. */
export async function openSoak(place: Place): Promise<SoakInstance> {
  let records: RecordStore | undefined;
  const hw = await createHostwright({
    stateDir: place.stateDir,
    leaseMs: place.leaseMs,
    retention: { taskDays: KEPT_DAYS, eventDays: KEPT_DAYS },
    plugins: [
      { ...soakPlugin, tasks: [soakTask(place)] },
      ...(place.database === undefined ? [] : [postgresStore({ url: place.database })]),
    ],
    provide: [
      provide(
        PART.openServer,
        () =>
          async ({ name }) =>
            new YardServer(name, place.yard),
      ),
      provide(PART.telemetry, (parts) => {
        records = parts.get(PART.engine).store.records;
        return new Telemetry(parts.get(PART.events));
      }),
    ],
  });
  if (records === undefined) throw new Error("the engine's parts were made without telemetry");
  return { hw, records };
}

/** Servers with a platform each, and so many sites on them in turn. */
export async function putRecords(
  { hw, records }: SoakInstance,
  servers: readonly string[],
  sites: number,
): Promise<void> {
  const fresh = { expect: 0, claims: [] };
  for (const name of servers) {
    await hw.servers.put({ name, connect: local(), services: [] });
    const platform = `on-${name}`;
    const value = { id: platform, name: platform, server: (await hw.servers.get(name)).id, type: "soak", options: {} };
    await records.put({ kind: "platform", id: platform, name: platform, value }, fresh);
  }
  for (let index = 0; index < sites; index += 1) {
    const id = `site${index}`;
    const value = { id, domain: id, platform: `on-${servers[index % servers.length]}`, options: {} };
    await records.put({ kind: "site", id, name: id, value }, fresh);
  }
}
