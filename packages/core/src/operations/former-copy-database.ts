import type { Operation } from "../contracts/operation.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { stopRemoteUnit } from "./remote-unit.ts";

/**
 * With which a database was copied before there was a step for that. Stored plans may hold it: what of it runs is stopped
 * and taken back, and none is begun any more.
 */
export const formerCopyDatabase: Operation = {
  name: "copy-database",
  version: 1,
  async run({ target }) {
    throw new HostwrightError(
      "HW_PLAN_EXPIRED",
      `The plan is of a former version of Hostwright, which copied databases in another way. Nothing was copied on ${target.server.name}.`,
      { server: target.server.name, remedy: "Plan the move again." },
    );
  },
  async probe({ target, attempt }) {
    await stopRemoteUnit(target, attempt);
    return "partial";
  },
  async undo() {
    // What was copied goes with the database that was made for it.
  },
};
