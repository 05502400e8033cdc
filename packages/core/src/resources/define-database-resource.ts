import type { Change, ResourceType, Target } from "../contracts/resource.ts";
import { applyLocked } from "./database-changes.ts";
import { databaseError } from "./database-error.ts";
import type { DatabaseResource } from "./database-resource.ts";
import { databaseSession, type DatabaseSession } from "./database-session.ts";

/**
 * Makes the resource type: it reads and changes by the driver's session. Changes are compare-and-set under one lock of the
 * database server, and only while the task's lease holds: nothing is begun when anything differs from what was read. Then
 * `apply` throws HW_RESOURCE_CHANGED; else HW_LEASE_LOST, HW_COMMAND_FAILED, HW_CANCELLED, HW_DATABASE_UNREACHABLE,
 * HW_DATABASE_FAILED.
 */
export function defineDatabaseResource<Spec, State, Session extends DatabaseSession>(
  resource: DatabaseResource<Spec, State, Session>,
): ResourceType<Spec, State> {
  const { driver, what, states, statements: _statements, ...type } = resource;
  return {
    ...type,
    async read(target: Target, keys: readonly string[]) {
      if (keys.length === 0) return new Map();
      const session = await databaseSession(target, driver);
      return new Map(
        await states(session, keys).catch((error: unknown) => {
          throw databaseError(target.server.name, driver, error, `reading ${what}s`);
        }),
      );
    },
    async apply(target: Target, changes: readonly Change<State>[]) {
      if (changes.length > 0) await applyLocked(target, resource, changes);
    },
  };
}
