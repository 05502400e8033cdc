import * as z from "zod";
import type { RecordStore } from "../../src/contracts/store.ts";
import type { EngineParts } from "../../src/engine/planning/task-engine.ts";
import { DRAFT_VERSION, draftOf } from "../../src/engine/planning/drafts.ts";
import { defineTask } from "../../src/plugin-kit/define-task.ts";
import type { Step } from "../../src/contracts/steps.ts";
import type { AnyTaskType, TaskDraft } from "../../src/contracts/task.ts";
import type { ServerRecord } from "../../src/model/records.ts";
import { SERVERS, type Case } from "./case.ts";
import { ownerOf } from "./expected.ts";

export const TITLE = "all of it";
export const DOMAIN = "new.test";
export const SECRET = "site/s1/password";

export function serverRecord(name: string): ServerRecord {
  return { id: name, name, connect: { type: "local" }, addresses: [], services: [], managedBy: null };
}

/** A task type whose every plan is that of the case; what an install draws goes by these parts. */
export function modelTask(plan: Case, partsOf: (task: string) => EngineParts): AnyTaskType {
  return defineTask({
    type: "model:work",
    version: 1,
    input: z.strictObject({}),
    value: z.record(z.string(), z.unknown()),
    request: () => ({}),
    title: () => TITLE,
    subject: () => ({}),
    plan: async ({ task }): Promise<TaskDraft> => {
      const draft = {
        value: {},
        title: TITLE,
        about: aboutOf(plan),
        steps: stepsOf(plan),
      };
      if (plan.kind === "install") {
        const { store, vault } = partsOf(task);
        await drafted(store.records, task);
        await vault.ensure([{ id: SECRET, generate: "password" }]);
        return { ...draft, ...INSTALL };
      }
      if (plan.kind !== "delete") return draft;
      return {
        ...draft,
        commit: { put: [], deleteRecords: [{ kind: "site", id: "s1" }] },
        eraseOnCommit: ["site/s1/"],
      };
    },
  });
}

function site(status: string): { readonly id: string; readonly status: string } {
  return { id: "s1", status };
}

const INSTALL: Pick<TaskDraft, "reserve" | "commit" | "release" | "eraseOnUndo"> = {
  reserve: [
    { kind: "site", id: "s1", name: DOMAIN, value: site("installing"), expect: DRAFT_VERSION, claims: [DOMAIN] },
  ],
  commit: {
    put: [
      { kind: "site", id: "s1", name: DOMAIN, value: site("installed"), expect: DRAFT_VERSION + 1, claims: [DOMAIN] },
    ],
    deleteRecords: [],
  },
  release: [{ kind: "site", id: "s1" }],
  eraseOnUndo: ["site/s1/"],
};

async function drafted(records: RecordStore, task: string): Promise<void> {
  if ((await draftOf(records, task)) !== null) return;
  await records.put({ kind: "site", id: "s1", name: task, value: site("draft") }, { expect: 0, claims: [] });
}

export function aboutOf(plan: Case): TaskDraft["about"] {
  return plan.kind === "server" ? [] : ["site/s1"];
}

function stepsOf(plan: Case): Step[] {
  const owner = ownerOf(plan);
  return plan.steps.map((step, index): Step => {
    const name = SERVERS[step.server] ?? "";
    const phase = step.late ? "clean-up" : "prepare";
    const common = { title: `step ${index}`, server: serverRecord(name), phase } as const;
    if (step.kind === "run") {
      const input = { name: `op${index}`, unclear: step.unclear };
      return { ...common, kind: "run", operation: "work", when: step.when, input };
    }
    const items = step.items.map(({ type, name: key, value }) => ({
      type,
      spec: { key, value },
      owner,
      shared: key === "shared",
    }));
    return { ...common, kind: "ensure", items, remove: [{ owners: [owner], types: step.remove }] };
  });
}
