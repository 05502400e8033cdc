import type { JournalRow, LeaseStore, RegisterStore, StateStore } from "../../src/contracts/store.ts";
import type { Operation } from "../../src/contracts/operation.ts";
import { publish } from "../../src/engine/publishing/publisher.ts";
import { Registry } from "../../src/engine/plugins/registry.ts";
import { ServerPool } from "../../src/engine/sessions/server-pool.ts";
import type { EngineParts } from "../../src/engine/planning/task-engine.ts";
import { Secret } from "../../src/model/secret.ts";
import { MODEL_TYPES } from "./model-types.ts";
import { changedStore } from "../changed-store.ts";
import type { Sabotage } from "./stage.ts";
import type { Publish } from "./web-play.ts";

/** Intents reach the journal with the outcome only. */
export const intentAfterEffect: Sabotage = {
  store: (store) => {
    let waiting: readonly JournalRow[] = [];
    return changedStore(store, ({ journal }) => {
      const write: StateStore["journal"]["write"] = async (rows, ...rest) => {
        const now = [...waiting, ...rows.filter((row) => row.state !== "begun")];
        waiting = rows.filter((row) => row.state === "begun");
        await journal.write(now, ...rest);
      };
      return { journal: { ...journal, write } };
    });
  },
};

/** What is begun again after a crash takes its own work for what stood there before. */
export const priorOfTheLastAttempt: Sabotage = {
  store: (store) => {
    return changedStore(store, ({ journal }) => {
      const read: StateStore["journal"]["read"] = async (task) => {
        const rows = await journal.read(task);
        return rows.filter((row, index) => {
          const later = rows.slice(index + 1);
          return row.state !== "begun" || row.phase !== "do" || !later.some((one) => begins(one, row.action));
        });
      };
      return { journal: { ...journal, read } };
    });
  },
};

function begins({ phase, state, action }: JournalRow, index: number): boolean {
  return phase === "do" && state === "begun" && action === index;
}

/** The commit row is written when all is over, after the clean-ups. */
export const commitAfterCleanUp: Sabotage = {
  store: (store) => {
    let commit: (() => Promise<void>) | null = null;
    return changedStore(store, ({ journal, tasks }) => {
      const later: StateStore["journal"]["commit"] = async (...args) => {
        commit = async () => journal.commit(...args);
      };
      const move: StateStore["tasks"]["move"] = async (id, from, to, ...rest) => {
        if (to === "succeeded") await commit?.().catch(() => undefined);
        return tasks.move(id, from, to, ...rest);
      };
      return { journal: { ...journal, commit: later }, tasks: { ...tasks, move } };
    });
  },
};

/** Changes are made without a look at what they change. */
export const changeWithoutCompare: Sabotage = {
  parts: (parts) => ({
    ...parts,
    registry: new Registry(
      [],
      MODEL_TYPES.map((type) => ({
        ...type,
        apply: async (target, changes) => {
          const keys = changes.map(({ key }) => key);
          const present = await type.read(target, keys, { contents: true });
          await type.apply(
            target,
            changes.map((one) => ({ ...one, before: present.get(one.key) ?? null })),
          );
        },
      })),
    ),
  }),
};

/** After a crash nobody looks whether an operation was done. */
export const doneOnceMore: Sabotage = {
  parts: (parts) => {
    const blind = (operation: Operation): Operation => ({ ...operation, probe: async () => "absent" });
    return { ...parts, operations: new Map([...parts.operations].map(([name, one]) => [name, blind(one)])) };
  },
};

/** Every worker shows the same token, so that no server ever refuses one. */
export const fenceForNobody: Sabotage = {
  parts: (parts: EngineParts) => ({
    ...parts,
    pool: new ServerPool(
      async (record) => {
        const { server } = await parts.pool.hold(record);
        const { script } = server;
        server.script = async ({ args = [], ...rest }) =>
          script.call(server, { ...rest, args: args.map((arg, index) => (index === 4 ? "1000000" : arg)) });
        return server;
      },
      async () => new Secret(""),
    ),
  }),
};

/** All leases are shared. */
export function leasesForAll(leases: LeaseStore): LeaseStore {
  const acquire: LeaseStore["acquire"] = async (task, holder, scopes) =>
    leases.acquire(
      task,
      holder,
      scopes.map(({ scope }) => ({ scope, mode: "shared" })),
    );
  return { ...leases, acquire };
}

/** Who asks what stands in the register sees nobody's but one owner's. */
export function registerOfOne(register: RegisterStore): RegisterStore {
  const ofOne: RegisterStore["about"] = async (...args) =>
    (await register.about(...args)).filter(({ owner }) => owner === "site/s1");
  return { ...register, about: ofOne };
}

/** Whoever publishes answers for everybody's entries. */
export const publishForAll: Publish = async (target, publication, options) =>
  publish(target, publication, { force: options?.force ?? false });
