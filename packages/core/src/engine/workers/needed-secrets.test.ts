import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { ensureStep, runStep } from "../../../test/fake-engine.ts";
import { FakeWorker, NEVER } from "../../../test/fake-worker.ts";
import type { Reference } from "../../model/text.ts";

let fake: FakeWorker;
beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
});

const made = (name: string): Reference => ({ ref: "secret", id: `site/s1/${name}`, label: name, generate: "password" });
const given: Reference = { ref: "secret", id: "site/s1/web-password/ann", label: "hash of ann" };
const holding = (...references: readonly Reference[]) =>
  ensureStep("web1", [{ type: "file", spec: { key: "/a", value: { parts: references } }, owner: "site/s1" }]);

async function work(steps: readonly ReturnType<typeof holding | typeof runStep>[]): Promise<unknown> {
  fake.drafts.set("a", { steps });
  return fake.worker.work((await fake.submit("a")).id, NEVER);
}

describe("a secret that a plan needs", () => {
  test("is made when any task first refers to it, and kept: a plugin's next version may ask for one more", async () => {
    expect(await work([holding(made("salt"))])).toMatchObject({ state: "succeeded" });
    const before = fake.world.snapshot()["web1"]?.["file /a"];
    expect(before).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(await work([holding(made("salt"), made("pepper"))])).toMatchObject({ state: "succeeded" });
    expect(fake.world.snapshot()["web1"]?.["file /a"]).toMatch(new RegExp(`^${before}[A-Za-z0-9]{32}$`));
  });

  test("is made for the input of an operation as well", async () => {
    fake.engine.operation("use", {});
    expect(await work([runStep("web1", "use", { input: { password: made("token") } })])).toMatchObject({
      state: "succeeded",
    });
    expect((await fake.parts.vault.load(["site/s1/token"])).get("site/s1/token")).toHaveLength(32);
  });

  test("and that somebody has to give is not made up: nothing is changed without it", async () => {
    expect(await work([holding(made("salt"), given)])).toMatchObject({
      state: "undone",
      error: { code: "HW_SECRET_UNREADABLE", data: { id: given.id } },
    });
    expect(fake.world.snapshot()).toEqual({});
  });
});
