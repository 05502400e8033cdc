import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { FakeEngine, ensureStep, runStep } from "../../../test/fake-engine.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { FakeWorld } from "../../../test/fake-world.ts";
import type { Text } from "../../model/text.ts";
import { readStates } from "./resource-states.ts";
import type { EnsureAction, PlanData } from "./plan.ts";
import { renderPlan } from "./render-plan.ts";
import type { Owned } from "../../contracts/steps.ts";

let engine: FakeEngine;
let world: FakeWorld;

beforeEach(async () => {
  world = new FakeWorld();
  const unit = world.type("unit", { rank: 80, follows: (key) => `file ${key}` });
  engine = await FakeEngine.open(world, [world.type("file"), world.type("user", { rank: 10 }), unit]);
  onTestFinished(async () => engine[Symbol.asyncDispose]());
});

const SITE = "site/s1";
const item = (type: string, key: string, value: Text, owner = SITE, shared = false): Owned => ({
  type,
  spec: { key, value },
  owner,
  ...(shared && { shared }),
});
const file = (key: string, value: Text = "x", owner = SITE): Owned => item("file", key, value, owner);
const shared = (owner: string, value = "x"): Owned => item("file", "/shared", value, owner, true);
const of = (...owners: readonly string[]) => ({ remove: [{ owners }] });
const all = of(SITE, "site/s2");

/** `+ file /a` and so on, in the order in which a plan makes its changes. */
function changesOf(plan: PlanData): string[] {
  return plan.actions
    .flatMap((action) => (action.kind === "ensure" ? action.changes : []))
    .map(({ type, key, before, after }) => `${after === null ? "-" : before === null ? "+" : "~"} ${type} ${key}`);
}

describe("a plan holds what is needed and nothing else", () => {
  test("things are made in the order of their types, whatever the order in which they are declared", async () => {
    const plan = await engine.plan(
      ensureStep("web1", [item("unit", "/u", "on"), file("/b"), file("/a"), item("user", "u", "1")]),
    );
    expect(changesOf(plan)).toEqual(["+ user u", "+ file /a", "+ file /b", "+ unit /u"]);
    expect(world.effects).toEqual([]);
  });

  test("a second plan is empty", async () => {
    const steps = [ensureStep("web1", [file("/a"), item("user", "u", "1")]), ensureStep("db1", [file("/a")])];
    expect(await engine.carryOut(...steps)).toMatchObject({ committed: true });
    const again = await engine.plan(...steps);
    expect(again.actions).toEqual([]);
    expect(again.register).toEqual([]);
    expect(renderPlan(again)).toContain("nothing to do");
  });

  test("only what differs is changed", async () => {
    await engine.carryOut(ensureStep("web1", [file("/a"), file("/b")]));
    expect(changesOf(await engine.plan(ensureStep("web1", [file("/a"), file("/b", "new")])))).toEqual(["~ file /b"]);
  });

  test("what drifted on the server is set again", async () => {
    await engine.carryOut(ensureStep("web1", [file("/a")]));
    world.states("web1").set("file /a", { value: "by hand" });
    expect(changesOf(await engine.plan(ensureStep("web1", [file("/a")])))).toEqual(["~ file /a"]);
    world.states("web1").delete("file /a");
    expect(changesOf(await engine.plan(ensureStep("web1", [file("/a")])))).toEqual(["+ file /a"]);
  });

  test("an operation that goes along with changes is left out when there is none", async () => {
    engine.operation("probe", {});
    const steps = [ensureStep("web1", [file("/a")]), runStep("web1", "probe", { when: "changed" })];
    expect((await engine.plan(...steps)).actions.map(({ kind }) => kind)).toEqual(["ensure", "run"]);
    await engine.carryOut(...steps);
    expect((await engine.plan(...steps)).actions).toEqual([]);
    expect((await engine.plan(...steps, runStep("web1", "probe"))).actions).toHaveLength(2);
  });

  test("it is read in one go per server and type, however many sites there are", async () => {
    const reads: string[] = [];
    const type = engine.registry.resourceType("file");
    const { read } = type;
    type.read = async (target, keys, options) => {
      reads.push(`${target.server.name} ${keys.length}`);
      return read(target, keys, options);
    };
    const sites = Array.from({ length: 50 }, (_, site) => ensureStep("web1", [file(`/${site}`, "x", `site/${site}`)]));
    await engine.plan(...sites);
    expect(reads).toEqual(["web1 50"]);
  });
});

describe("what is no longer declared", () => {
  test("is planned to be removed, in reverse order, after what is made", async () => {
    await engine.carryOut(ensureStep("web1", [item("user", "u", "1"), file("/a"), file("/b"), file("/c")]));
    const plan = await engine.plan(ensureStep("web1", [file("/c"), file("/d")], all));
    expect(changesOf(plan)).toEqual(["+ file /d", "- file /b", "- file /a", "- user u"]);
    await engine.run(plan);
    expect(world.snapshot()).toEqual({ web1: { "file /c": "x", "file /d": "x" } });
    expect((await engine.registered("web1")).map(({ key }) => key)).toEqual(["/c", "/d"]);
    expect((await engine.plan(ensureStep("web1", [file("/c"), file("/d")], all))).actions).toEqual([]);
  });

  test("stays where the step does not ask for removals", async () => {
    await engine.carryOut(ensureStep("web1", [file("/a")]));
    expect((await engine.plan(ensureStep("web1", []))).actions).toEqual([]);
  });

  test("is only forgotten when it is gone already", async () => {
    await engine.carryOut(ensureStep("web1", [file("/a")]));
    world.states("web1").clear();
    const plan = await engine.plan(ensureStep("web1", [], all));
    expect(plan.actions).toEqual([]);
    await engine.run(plan);
    expect(await engine.registered("web1")).toEqual([]);
  });

  test("is never something that was not registered", async () => {
    world.states("web1").set("file /theirs", { value: "x" });
    expect((await engine.plan(ensureStep("web1", [], all))).actions).toEqual([]);
  });
});

describe("owners", () => {
  const conflict = (owner: string): unknown =>
    expect.objectContaining({ code: "HW_RESOURCE_CONFLICT", data: { type: "file", key: "/a", owner }, server: "web1" });

  test("two exclusive ones are refused, in one plan", async () => {
    const steps = [ensureStep("web1", [file("/a")]), ensureStep("web1", [file("/a", "x", "site/s2")])];
    await expect(engine.plan(...steps)).rejects.toThrow(conflict(SITE));
  });

  test("two exclusive ones are refused, in one plan, also when the thing stands already", async () => {
    world.states("web1").set("file /a", { value: "x" });
    const steps = [
      ensureStep("web1", [file("/a", "x", "server/v1")]),
      ensureStep("web1", [file("/a", "x", "server/v2")]),
    ];
    await expect(engine.plan(...steps)).rejects.toThrow(conflict("server/v1"));
  });

  test("a site takes nothing that stands there already, even if it is just as wanted", async () => {
    world.states("web1").set("file /a", { value: "x" });
    await expect(engine.plan(ensureStep("web1", [file("/a")]))).rejects.toMatchObject({ code: "HW_RESOURCE_FOREIGN" });
  });

  test("two exclusive ones are refused, one after the other, also when both want the same", async () => {
    await engine.carryOut(ensureStep("web1", [file("/a")]));
    await expect(engine.plan(ensureStep("web1", [file("/a", "x", "site/s2")]))).rejects.toThrow(conflict(SITE));
    expect((await engine.plan(ensureStep("db1", [file("/a", "x", "site/s2")]))).actions).toHaveLength(1);
  });

  test("one that shares cannot have what another holds for itself", async () => {
    await engine.carryOut(ensureStep("web1", [file("/shared")]));
    await expect(engine.plan(ensureStep("web1", [shared("site/s2")]))).rejects.toMatchObject({
      code: "HW_RESOURCE_CONFLICT",
    });
  });

  test("those that share must want the same", async () => {
    const steps = [ensureStep("web1", [shared("site/s1")]), ensureStep("web1", [shared("site/s2", "other")])];
    await expect(engine.plan(...steps)).rejects.toMatchObject({ code: "HW_RESOURCE_CONFLICT" });
  });

  test("the same thing twice by one owner is made once", async () => {
    const plan = await engine.plan(ensureStep("web1", [file("/a")]), ensureStep("web1", [file("/a")]));
    expect(changesOf(plan)).toEqual(["+ file /a"]);
  });

  test("shared things are made with their first owner and go with their last", async () => {
    const one = ensureStep("web1", [shared("site/s1")]);
    const two = ensureStep("web1", [shared("site/s2")]);
    await engine.carryOut(one, two);
    expect((await engine.registered("web1")).map(({ owner }) => owner)).toEqual(["site/s1", "site/s2"]);
    expect((await engine.plan(one, two)).actions).toEqual([]);

    const dropOne = ensureStep("web1", [], of("site/s1"));
    expect(changesOf(await engine.plan(dropOne))).toEqual([]);
    await engine.carryOut(dropOne);
    expect(world.snapshot()).toEqual({ web1: { "file /shared": "x" } });
    expect((await engine.registered("web1")).map(({ owner }) => owner)).toEqual(["site/s2"]);

    expect(changesOf(await engine.plan(ensureStep("web1", [], of("site/s2"))))).toEqual(["- file /shared"]);
  });

  test("a shared thing that all its owners drop in one plan goes once, and nobody holds it any more", async () => {
    await engine.carryOut(ensureStep("web1", [shared("site/s1")]), ensureStep("web1", [shared("site/s2")]));
    const plan = await engine.plan(ensureStep("web1", [], of("site/s1")), ensureStep("web1", [], all));
    expect(changesOf(plan)).toEqual(["- file /shared"]);
    await engine.run(plan);
    expect(world.snapshot()).toEqual({ web1: {} });
    expect(await engine.registered("web1")).toEqual([]);
  });

  test("a shared thing that one owner drops and another takes up in the same plan stays", async () => {
    await engine.carryOut(ensureStep("web1", [shared("site/s1")]));
    for (const steps of [
      [ensureStep("web1", [], of("site/s1")), ensureStep("web1", [shared("site/s2")])],
      [ensureStep("web1", [shared("site/s2")]), ensureStep("web1", [], of("site/s1"))],
    ]) {
      const plan = await engine.plan(...steps);
      expect(changesOf(plan)).toEqual([]);
    }
    await engine.carryOut(ensureStep("web1", [], of("site/s1")), ensureStep("web1", [shared("site/s2")]));
    expect(world.snapshot()).toEqual({ web1: { "file /shared": "x" } });
    expect((await engine.registered("web1")).map(({ owner }) => owner)).toEqual(["site/s2"]);
  });
});

test("an owner that a later step leaves out is left out whole, as it stands", async () => {
  await engine.carryOut(ensureStep("web1", [file("/unit", "old"), file("/unit2", "old", "site/s2")]));
  world.states("web1").set("file /entry", { value: "somebody's" });
  const told: string[] = [];
  const apart = { apart: (owner: string) => void told.push(owner) };
  const units = [file("/unit", "new"), file("/unit2", "new", "site/s2")];
  const entries = [file("/entry"), file("/entry2", "x", "site/s2")];
  const plan = await engine.plan(
    { ...ensureStep("web1", units), ...apart },
    { ...ensureStep("web1", entries), ...apart },
  );
  expect(told).toEqual([SITE]);
  expect(changesOf(plan)).toEqual(["~ file /unit2", "+ file /entry2"]);
});

test("a shared thing that an earlier step of the plan makes for another owner is taken back for each", async () => {
  engine.operation("rewrite", {
    run: async () => void world.states("web1").set("file /shared", { value: "rewritten" }),
    undo: async () => void world.states("web1").set("file /shared", { value: "x" }),
  });
  engine.operation("fail", { run: async () => Promise.reject(new Error("no")) });
  const rewrite = { ...runStep("web1", "rewrite"), touches: [{ type: "file", key: "/shared" }] };
  const steps = [ensureStep("web1", [shared("site/s1")]), rewrite, ensureStep("web1", [shared("site/s2")])];
  const made = (await engine.plan(...steps)).actions.flatMap((one) => (one.kind === "ensure" ? one.changes : []));
  expect(made.map(({ owner, holder, found }) => [owner, holder, found])).toEqual([
    ["site/s1", "nobody", undefined],
    ["site/s2", "others", true],
  ]);
  expect(await engine.carryOut(...steps, runStep("web1", "fail"))).toMatchObject({ committed: false, residue: [] });
  expect(world.snapshot()).toEqual({ web1: {} });
  expect(await engine.registered("web1")).toEqual([]);
  expect(await engine.carryOut(...steps)).toMatchObject({ committed: true });
  expect(world.snapshot()).toEqual({ web1: { "file /shared": "x" } });
  expect((await engine.registered("web1")).map(({ owner }) => owner)).toEqual(["site/s1", "site/s2"]);
});

describe("a thing that stands there already and is not registered", () => {
  beforeEach(() => void world.states("web1").set("file /a", { value: "theirs" }));

  test("is adopted for a server, with a line in the plan", async () => {
    const plan = await engine.plan(ensureStep("web1", [file("/a", "ours", "server/web1")]));
    expect((plan.actions[0] as EnsureAction).changes[0]).toMatchObject({
      holder: "nobody",
      show: { before: "theirs", after: "ours" },
    });
    expect(renderPlan(plan)).toContain("~ file /a (adopt: stands there already)");
    await engine.run(plan);
    expect(await engine.registered("web1")).toMatchObject([{ key: "/a", owner: "server/web1" }]);
  });

  test.each(["site/s1", "platform/r1"])("stands in the way of %s", async (owner) => {
    await expect(engine.plan(ensureStep("web1", [file("/a", "ours", owner)]))).rejects.toMatchObject({
      code: "HW_RESOURCE_FOREIGN",
      server: "web1",
      data: { type: "file", key: "/a" },
    });
  });

  test("is registered without an effect when it is just as wanted", async () => {
    const step = ensureStep("web1", [file("/a", "theirs", "server/web1")]);
    const plan = await engine.plan(step);
    expect(plan.actions).toEqual([]);
    await engine.run(plan);
    expect(world.effects).toEqual([]);
    expect(await engine.registered("web1")).toMatchObject([{ key: "/a", owner: "server/web1" }]);
    expect((await engine.plan(step)).register).toEqual([]);
  });
});

describe("a unit that follows a file", () => {
  const step = (content: string): ReturnType<typeof ensureStep> =>
    ensureStep("web1", [file("/u", content), item("unit", "/u", "on")]);

  test("is planned as a change when its file changes, and takes it up", async () => {
    await engine.carryOut(step("one"));
    expect((await engine.plan(step("one"))).actions).toEqual([]);
    const plan = await engine.plan(step("two"));
    expect(changesOf(plan)).toEqual(["~ file /u", "~ unit /u"]);
    await engine.run(plan);
    expect((await engine.plan(step("two"))).actions).toEqual([]);
  });

  test("is taken up by whoever goes on after a worker that died between the file and it", async () => {
    await engine.carryOut(step("one"));
    const plan = await engine.plan(step("two"));
    world.onEffect = (_server, type) => {
      if (type === "unit") throw new HostwrightError("HW_LEASE_LOST", "as good as dead");
    };
    await expect(engine.run(plan)).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
    world.onEffect = () => undefined;
    expect(await engine.run(plan)).toMatchObject({ committed: true, error: null });
    expect((await engine.plan(step("two"))).actions).toEqual([]);
  });

  test("takes the former file up again when it is undone", async () => {
    await engine.carryOut(step("one"));
    engine.operation("fail", { run: () => Promise.reject(new Error("no")) });
    const end = await engine.carryOut(step("two"), runStep("web1", "fail"));
    expect(end).toMatchObject({ committed: false, residue: [] });
    expect((await engine.plan(step("one"))).actions).toEqual([]);
    await using session = engine.session();
    const target = await session.target(step("one").server);
    const states = await readStates(engine.registry, target, [{ type: "unit", key: "/u" }], { contents: true });
    expect([...states.values()]).toEqual([{ value: "on" }]);
  });
});

test("nothing but references reaches the plan and what a person reads of it", async () => {
  engine.secrets.set("site/s1/db-password", "hush-hush");
  const password = { ref: "secret", id: "site/s1/db-password", label: "db password" } as const;
  const content = { parts: ["password=", password] };
  const plan = await engine.plan(ensureStep("web1", [file("/a", content)]));
  expect(JSON.stringify(plan)).not.toContain("hush");
  expect(renderPlan(plan)).toContain("password=<db password>");
  await engine.run(plan);
  expect(world.snapshot()).toEqual({ web1: { "file /a": "password=hush-hush" } });

  engine.secrets.set("site/s1/db-password", "new-hush");
  const rotated = await engine.plan(ensureStep("web1", [file("/a", content)]));
  expect(changesOf(rotated)).toEqual(["~ file /a"]);
  expect(JSON.stringify(rotated) + renderPlan(rotated)).not.toContain("hush");
});

describe("a later step of the same plan", () => {
  const closed = ensureStep("web1", [file("/page", "closed"), item("unit", "/php", "off")]);
  const open = ensureStep("web1", [file("/page", "open"), item("unit", "/php", "on")]);

  test("is planned from what an earlier one makes, carried out in order, and undone to the beginning", async () => {
    await engine.carryOut(open);
    const plan = await engine.plan(closed, open);
    expect(changesOf(plan)).toEqual(["~ file /page", "~ unit /php", "~ file /page", "~ unit /php"]);
    const [first, second] = plan.actions.map((action) => (action as EnsureAction).changes[0]);
    expect(second?.before).toBe(first?.after);
    expect(second?.show).toEqual({ before: "closed", after: "open" });
    const before = world.snapshot();
    engine.operation("fail", { run: () => Promise.reject(new Error("no")) });
    expect(await engine.carryOut(closed, open, runStep("web1", "fail"))).toMatchObject({
      committed: false,
      residue: [],
    });
    expect(world.snapshot()).toEqual(before);
    expect(await engine.carryOut(closed, open)).toMatchObject({ committed: true });
    expect((await engine.plan(open)).actions).toEqual([]);
  });

  test("that an undo takes back leaves nothing of what the earlier one made", async () => {
    engine.operation("fail", { run: () => Promise.reject(new Error("no")) });
    expect(await engine.carryOut(closed, open, runStep("web1", "fail"))).toMatchObject({
      committed: false,
      residue: [],
    });
    expect(world.snapshot()).toEqual({ web1: {} });
    expect(await engine.registered("web1")).toEqual([]);
  });

  test("wants nothing again that the earlier one already made so", async () => {
    const plan = await engine.plan(closed, ensureStep("web1", [file("/page", "closed"), item("unit", "/php", "on")]));
    expect(changesOf(plan)).toEqual(["+ file /page", "+ unit /php", "~ unit /php"]);
  });

  test("has a unit follow the file that the earlier one changes", async () => {
    await engine.carryOut(ensureStep("web1", [file("/u", "one"), item("unit", "/u", "on")]));
    const plan = await engine.plan(
      ensureStep("web1", [file("/u", "two")]),
      ensureStep("web1", [item("unit", "/u", "on")]),
    );
    expect(changesOf(plan)).toEqual(["~ file /u", "~ unit /u"]);
    await engine.run(plan);
    expect((await engine.plan(ensureStep("web1", [file("/u", "two"), item("unit", "/u", "on")]))).actions).toEqual([]);
  });

  test("takes what an operation touches as it finds it", async () => {
    await engine.carryOut(ensureStep("web1", [file("/a", "wanted")]));
    const set = async (value: string): Promise<void> => void world.states("web1").set("file /a", { value });
    engine.operation("touch", { run: async () => set("theirs") });
    const touch = runStep("web1", "touch", { touches: [{ type: "file", key: "/a" }] });
    const plan = await engine.plan(touch, ensureStep("web1", [file("/a", "wanted")]));
    expect(changesOf(plan)).toEqual(["~ file /a"]);
    expect(await engine.run(plan)).toMatchObject({ committed: true });
    expect(world.snapshot()).toEqual({ web1: { "file /a": "wanted" } });
  });

  test("is in conflict where the thing is another's, or shared", async () => {
    const conflict = { code: "HW_RESOURCE_CONFLICT" };
    await expect(engine.plan(closed, ensureStep("web1", [file("/page", "x", "site/s2")]))).rejects.toMatchObject(
      conflict,
    );
    const [one, other] = [ensureStep("web1", [shared(SITE)]), ensureStep("web1", [shared(SITE, "other")])];
    await expect(engine.plan(one, other)).rejects.toMatchObject(conflict);
  });

  test("is something else than one step that wants a thing twice, otherwise", async () => {
    const step = ensureStep("web1", [file("/page", "one"), file("/page", "two")]);
    await expect(engine.plan(step)).rejects.toMatchObject({ code: "HW_RESOURCE_CONFLICT" });
  });
});
