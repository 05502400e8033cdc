import * as z from "zod";
import type { RunStep, Step } from "../contracts/steps.ts";
import type { ServerRecord } from "../model/records.ts";
import { Name, type ServerInput } from "./inputs.ts";
import { activateServer, ofServer, serverStep } from "./server-steps.ts";
import type { TaskRequest, TaskType } from "../contracts/task.ts";
import type { Planning } from "../contracts/planning.ts";
import { defineTask } from "../plugin-kit/define-task.ts";

export interface PreparedValue {
  /** Debian packages that were missing. */
  readonly packages: readonly string[];
}

export const prepareServer: TaskType<[server: string], ServerInput, PreparedValue> = defineTask({
  type: "server:prepare",
  version: 1,
  input: z.strictObject({ server: Name }),
  value: z.strictObject({ packages: z.array(z.string()).readonly() }),
  request: (server: string) => ({ server }),
  title: ({ server }) => `prepare server ${server}`,
  subject: ({ server }) => ({ server }),
  async plan(context: Planning, request) {
    const server = context.inventory.server(request.server);
    const members = context.inventory.members(server);
    const each = await Promise.all(members.map(async (member) => preparation(context, member)));
    return {
      title: `prepare server ${server.name}`,
      about: [...new Set([server, ...members].map(({ id }) => `server/${id}`))],
      steps: each.flatMap(({ steps }) => steps),
      records: [...new Set([server, ...members])].flatMap((one) => ofServer(context, one).records),
      value: { packages: [...new Set(each.flatMap(({ packages }) => packages))] },
    };
  },
});

/** Of one machine. */
async function preparation(
  context: Planning,
  server: ServerRecord,
): Promise<{ readonly steps: readonly Step[]; readonly packages: readonly string[] }> {
  const { missingPackages: packages } = await context.facts(server);
  const unwanted = context.inventory
    .services(server)
    .flatMap(({ record, definition, serves }) => {
      const own = definition.unwantedUnits?.(record.options) ?? [];
      if (serves) return own;
      const { unit } = context.inventory.service(server, "http", record.name).role.publication;
      // A web server that waits for its switch must not take the port of the one that serves, at a boot neither.
      return [...own, ...definition.packages(record.options).map((name) => ({ package: name, unit }))];
    })
    .filter((entry) => packages.includes(entry.package));
  const install: RunStep = {
    kind: "run",
    title: `install ${packages.length} packages: ${packages.join(" ")}`,
    server,
    phase: "prepare",
    operation: "install-packages",
    input: { packages, unwanted: [...new Set(unwanted.map((entry) => entry.unit))] },
    when: "always",
  };
  const step = await serverStep(context, server);
  const installing = packages.length === 0 ? [] : [{ ...install, sets: step.sets ?? [] }];
  return { packages, steps: [...installing, step, ...activateServer(context, step)] };
}

/**
 * Asks that a server, by name or id, or each member of a cluster, gets the packages, folders and settings that its services need; packages stay when it
 * is undone. The value is `{ packages }`, those that were missing. @throws HW_NOT_FOUND when planned,
 * HW_PREREQUISITE_MISSING when a package could not be installed
 */
export function prepare(server: string): TaskRequest<PreparedValue> {
  return prepareServer.request(server);
}
