import { describe, expect, test } from "vitest";
import { gate, openOwn, own } from "../../test/own-facade.ts";
import { coreTasks } from "../tasks/core-tasks.ts";
import { deleteSite } from "../tasks/delete-site.ts";
import { install } from "../tasks/install-site.ts";
import { preview } from "../tasks/preview.ts";
import { verify } from "../tasks/verify.ts";
import type { Policy } from "./access.ts";

describe("the list of tasks", () => {
  test("has the newest first, each by what a person calls it, and is read page by page", async () => {
    const { hw } = await openOwn();
    await hw.submit(install("a.example", { platform: "wp" }));
    const gone = await hw.submit(deleteSite("A.example."));
    await hw.submit(verify("@web1"));
    await hw.submit(preview(verify("web1")));
    await gone.cancel();
    const first = await hw.tasks.list({ limit: 3 });
    expect(first.tasks.map(({ title, state, subject }) => [title, state, `${subject.kind} ${subject.name}`])).toEqual([
      ["plan: verify web1", "queued", "server web1"],
      ["verify @web1", "queued", "server web1"],
      ["delete A.example.", "undone", "site a.example"],
    ]);
    expect(first.tasks[2]).toMatchObject({ id: gone.id, actor: "system", finishedAt: expect.any(String) });
    const rest = await hw.tasks.list({ limit: 3, after: first.next });
    expect([rest.tasks.map(({ title }) => title), rest.next]).toEqual([["install a.example on wp"], null]);
  });

  test("has each task by its id, for whom may see it", async () => {
    const allow: Policy["allow"] = (_actor, verb, { name }) => verb === "task:read" && name === "web1";
    const { hw } = await openOwn({}, { policy: { allow } });
    const { id } = await hw.submit(verify("web1"));
    const known = { id, type: "alias:verify", title: "verify web1", state: "queued", finishedAt: null };
    expect(await hw.tasks.get(id)).toMatchObject(known);
    expect(await hw.as({ id: "ann" }).tasks.get(id)).toMatchObject(known);
    expect(await hw.task(id).state()).toBe("queued");
    const other = await hw.submit(own("x"));
    await expect(hw.as({ id: "ann" }).tasks.get(other.id)).rejects.toMatchObject({ code: "HW_NOT_FOUND" });
    await expect(hw.tasks.get("t-none")).rejects.toMatchObject({ code: "HW_NOT_FOUND" });
  });

  test("is of one state, type, actor or subject, under any of its names", async () => {
    const { hw, server } = await openOwn();
    const ids = { verify: (await hw.submit(verify("web1"))).id, own: (await hw.as({ id: "ann" }).submit(own("x"))).id };
    await hw.task(ids.own).cancel();
    const listed = async (filter: Parameters<typeof hw.tasks.list>[0]): Promise<string[]> =>
      (await hw.tasks.list(filter)).tasks.map(({ id }) => id);
    expect(await listed({ state: "undone" })).toEqual([ids.own]);
    expect(await listed({ state: ["queued", "undone"] })).toEqual([ids.own, ids.verify]);
    expect(await listed({ type: "alias:verify" })).toEqual([ids.verify]);
    expect(await listed({ actor: "ann" })).toEqual([ids.own]);
    for (const subject of ["web1", "@WEB1", server.id]) expect(await listed({ subject })).toEqual([ids.verify]);
    expect(await listed({ subject: "web2" })).toEqual([]);
    await expect(hw.tasks.list({ limit: 0 })).rejects.toMatchObject({ code: "HW_INPUT_INVALID" });
    await expect(hw.tasks.list({ state: "done" as never })).rejects.toMatchObject({ code: "HW_INPUT_INVALID" });
  });

  test("shows an actor its own and what it may read, as if there were no others", async () => {
    const allow: Policy["allow"] = ({ id }, verb, { name }) =>
      verb !== "task:read" || (id === "bob" && name === "b.example");
    const { hw } = await openOwn({}, { policy: { allow } });
    for (const domain of ["a.example", "b.example"]) await hw.submit(deleteSite(domain));
    await hw.as({ id: "ann" }).submit(deleteSite("c.example"));
    const titles = async (id: string): Promise<string[]> =>
      (await hw.as({ id }).tasks.list()).tasks.map(({ title }) => title);
    expect(await titles("ann")).toEqual(["delete c.example"]);
    expect(await titles("bob")).toEqual(["delete b.example"]);
    expect(await titles("eve")).toEqual([]);
    expect((await hw.tasks.list()).tasks).toHaveLength(3);
  });

  test("finds a rare one among many, some pages later", async () => {
    const { hw, engine } = await openOwn();
    const rare = await hw.submit(verify("web1"));
    const common = { type: "test:own", plan: null, actor: "system", key: null, timeoutMs: null, createdAt: "" };
    for (let n = 0; n < 2_100; n++) await engine.store.tasks.submit({ ...common, id: `t${n}`, request: own("x") });
    const first = await hw.tasks.list({ type: "alias:verify" });
    expect([first.tasks, first.next]).toEqual([[], expect.any(String)]);
    const second = await hw.tasks.list({ type: "alias:verify", after: first.next });
    expect([second.tasks.map(({ id }) => id), second.next]).toEqual([[rare.id], null]);
  });
});

test("a queued request is told by what a person calls it, whatever its type", async () => {
  const { hw } = await openOwn();
  const events = hw.events({ after: "now" });
  await hw.submit(install("a.example", { platform: "wp" }));
  expect((await events.next()).value).toMatchObject({ payload: { title: "install a.example on wp" } });
  await events.return(undefined);
  const values = { domain: "a.b", site: "a.b", server: "s", alias: "a", service: "n", database: "d", platform: "p" };
  // Those are about whatever the requests in them are.
  const titles = coreTasks
    .filter(({ standsFor }) => standsFor === undefined)
    .map(({ title }) => title(values, () => ""));
  for (const title of titles) expect(title).toMatch(/^[a-z]+ .*\b(a\.b|s|a|p)\b/);
  expect(new Set(titles).size).toBe(titles.length);
});

describe("the events", () => {
  test("of a finished task end after its last one, also from a cursor behind it", async () => {
    const { hw } = await openOwn();
    const task = await hw.submit(own("a"));
    await task.cancel();
    const seen: [string, number][] = [];
    for await (const { type, seq } of task.events()) seen.push([type, seq]);
    expect(seen.map(([type]) => type)).toEqual(["task:submitted", "task:finished"]);
    for await (const event of task.events({ after: seen[1]?.[1] ?? 0 })) expect(event).toBeUndefined();
  });

  test("of a running task end with it", async () => {
    const only = gate();
    const { hw } = await openOwn({ only: only.operation });
    await using _working = hw.work();
    const task = await hw.submit(own("a"));
    const seen: string[] = [];
    for await (const { type } of task.events()) seen.push(type);
    expect(seen).toEqual(["task:submitted", "task:started", "task:committed", "task:finished"]);
  });

  test("can be followed from now on: from the call, not from the first reading", async () => {
    const { hw } = await openOwn();
    await hw.submit(own("before"));
    const events = hw.events({ after: "now" });
    await Promise.resolve();
    const { id } = await hw.submit(own("later"));
    expect((await events.next()).value).toMatchObject({ type: "task:submitted", task: id });
    await events.return(undefined);
    expect(() => hw.events({ after: Number.NaN })).toThrow("events: after");
  });
});
