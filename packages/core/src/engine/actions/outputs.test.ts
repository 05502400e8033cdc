import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { runStep } from "../../../test/fake-engine.ts";
import { FakeWorker, NEVER } from "../../../test/fake-worker.ts";
import type { TaskDraft } from "../../contracts/task.ts";
import type { OutputReference } from "../../model/outputs.ts";
import { Secret } from "../../model/secret.ts";

const given = (name: string): OutputReference => ({ ref: "output", step: "make", name });

let fake: FakeWorker;
let seen: unknown[];
let afterMaking: () => void;

/** One operation makes a token and a number, another uses them; the task gives both back. */
const draft: Partial<TaskDraft> = {
  steps: [
    runStep("web1", "use", { phase: "clean-up", input: { token: given("token"), count: given("count") } }),
    runStep("web1", "make", { id: "make" }),
  ],
  value: { kept: true },
  outputs: { token: given("token"), count: given("count"), more: given("nothing") },
};

beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
  [seen, afterMaking] = [[], () => undefined];
  fake.engine.operation("make", {
    run: async ({ keep }) => {
      const token = await keep("token", { label: "token", value: "hush" });
      afterMaking();
      return { token, count: 3 };
    },
  });
  fake.engine.operation("use", {
    run: async ({ target }, input) => {
      const { token, count } = input as { readonly token: never; readonly count: number };
      seen.push([target.resolve(token), count]);
    },
  });
  fake.drafts.set("a", draft);
});

describe("what an operation gives back", () => {
  test("is the input of a later one, and the task's value, secrets as such", async () => {
    const task = await fake.submit("a");
    expect(await fake.worker.work(task.id, NEVER)).toMatchObject({ state: "succeeded", residue: [] });
    expect(seen).toEqual([["hush", 3]]);
    const value = (await task.result()) as { readonly token: Secret };
    expect(value).toEqual({ kept: true, token: expect.any(Secret) as Secret, count: 3 });
    expect(value.token.reveal()).toBe("hush");
  });

  test("is known to whoever goes on with the task", async () => {
    const closing = new AbortController();
    afterMaking = () => closing.abort();
    const { id } = await fake.submit("a");
    expect(await fake.worker.takeNext()).toBe(id);
    expect(await fake.worker.carryOut(id, closing.signal)).toBeNull();
    expect(seen).toEqual([]);
    expect(await fake.another().recover(id)).toMatchObject({ state: "succeeded", value: { count: 3 } });
    expect(seen).toEqual([["hush", 3]]);
  });

  test("is in no journal and no event where it is secret", async () => {
    const task = await fake.submit("a");
    await fake.worker.work(task.id, NEVER);
    const told = [await fake.engine.store.journal.read(task.id), await fake.engine.store.events.after(0)];
    expect(JSON.stringify(told)).not.toContain("hush");
  });

  test("is refused where it refers to a secret of anybody else's", async () => {
    const run = async () => ({ token: { ref: "secret", id: "site/s2/db-password", label: "token" } });
    fake.engine.operation("make", { run });
    const task = await fake.submit("a");
    expect(await fake.worker.work(task.id, NEVER)).toMatchObject({ state: "undone", error: { code: "HW_INTERNAL" } });
    expect(seen).toEqual([]);
  });

  test.each([
    [
      "a later step's",
      { steps: [runStep("web1", "use", { input: given("x") }), runStep("web1", "make", { id: "make" })] },
    ],
    [
      "a step's after the commit",
      {
        steps: [
          runStep("web1", "make", { id: "make", phase: "clean-up" }),
          runStep("web1", "use", { input: [given("x")] }),
        ],
      },
    ],
    ["its own", { steps: [runStep("web1", "make", { id: "make", input: { a: given("x") } })] }],
    ["nobody's", { steps: [], outputs: { a: given("x") } }],
    ["that of two", { steps: [runStep("web1", "make", { id: "make" }), runStep("web1", "make", { id: "make" })] }],
  ])("and is %s is refused when it is planned", async (_whose, change: Partial<TaskDraft>) => {
    fake.drafts.set("a", { ...change });
    const task = await fake.submit("a");
    expect(await fake.worker.work(task.id, NEVER)).toMatchObject({ state: "undone", error: { code: "HW_INTERNAL" } });
  });
});
