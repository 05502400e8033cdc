import * as z from "zod";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { EnsureStep } from "../contracts/steps.ts";
import type { TaskRequest, TaskType } from "../contracts/task.ts";
import type { Planning } from "../contracts/planning.ts";
import { defineTask } from "../plugin-kit/define-task.ts";
import { namesOf } from "../model/names-of.ts";
import { clusterSet } from "./platform-steps.ts";
import { Name } from "./inputs.ts";

export interface DeletedPlatformValue {
  readonly platform: string;
  readonly server: string;
}

export const removePlatform: TaskType<[platform: string], { readonly platform: string }, DeletedPlatformValue> =
  defineTask({
    type: "platform:delete",
    version: 1,
    input: z.strictObject({ platform: Name }),
    value: z.strictObject({ platform: z.string(), server: z.string() }),
    request: (platform: string) => ({ platform }),
    title: ({ platform }) => `delete platform ${platform}`,
    subject: ({ platform }) => ({ platform }),
    async plan(context: Planning, request) {
      const { inventory } = context;
      const platform = inventory.platform(request.platform);
      const server = inventory.server(platform.server);
      const sites = await inventory.sitesOnPlatform(platform.id);
      if (sites.length > 0) {
        throw new HostwrightError(
          "HW_RECORD_IN_USE",
          `Platform ${platform.name} has sites: ${namesOf(sites.map(({ domain }) => domain))}. Nothing was changed.`,
          { remedy: "Delete them first.", data: { sites: sites.map(({ domain }) => domain) } },
        );
      }
      const members = inventory.members(server);
      await Promise.all(members.map(async (member) => context.facts(member)));
      const owner = `platform/${platform.id}`;
      const releases = members.map((member): EnsureStep => ({
        kind: "ensure",
        title: `remove the release of ${platform.name}`,
        server: member,
        phase: "clean-up",
        items: [],
        remove: [{ owners: [owner] }],
      }));
      return {
        title: `delete platform ${platform.name}`,
        about: [owner],
        steps: releases,
        sets: [{ set: "sites on platform", of: platform.id, found: [] }, ...clusterSet(platform, members)],
        commit: {
          put: [],
          deleteRecords: [{ kind: "platform", id: platform.id, expect: inventory.version(platform.id) }],
        },
        value: { platform: platform.name, server: server.name },
      };
    },
  });

/**
 * Asks that a platform, by name or id, is removed with its release on the server; its source stays. The value is
 * `{ platform, server }`. One that was never published can also be removed at once: `hw.platforms.remove()`.
 * @throws HW_NOT_FOUND when planned; HW_RECORD_IN_USE while sites are on it
 */
export function deletePlatform(platform: string): TaskRequest<DeletedPlatformValue> {
  return removePlatform.request(platform);
}
