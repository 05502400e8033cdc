import { expect, test } from "vitest";
import { ensureStep, runStep } from "../../../test/fake-engine.ts";
import type { Action, PlannedChange } from "./plan.ts";
import { derivedLeases } from "./derived-leases.ts";
import type { Step } from "../../contracts/steps.ts";

const of = (owner: string) => ({ type: "file", spec: {}, owner });
const changing = (...owners: readonly string[]): Action[] => [
  { kind: "ensure", changes: owners.map((owner) => ({ owner }) as PlannedChange) } as unknown as Action,
];
const leases = (about: readonly string[], steps: readonly Step[], actions: readonly Action[] = []): object =>
  Object.fromEntries(derivedLeases({ about, steps }, actions).map(({ scope, mode }) => [scope, mode]));

test("what a task is about is its alone, and comes first; every server that it works on is shared, an operation's too", () => {
  const steps = [ensureStep("db1", [of("site/s1")]), ensureStep("web1", [of("site/s1")]), runStep("cache1", "flush")];
  const derived = derivedLeases({ about: ["site/s1"], steps }, []);
  expect(derived[0]).toEqual({ scope: "site/s1", mode: "exclusive" });
  expect(leases(["site/s1"], steps)).toEqual({
    "site/s1": "exclusive",
    "server/db1": "shared",
    "server/web1": "shared",
    "server/cache1": "shared",
  });
});

test("a server or a platform whose own things it changes is its alone, and one that stands as wanted is shared", () => {
  const steps = [ensureStep("web1", [of("server/web1"), of("platform/p1"), of("site/s1")])];
  const shared = { "site/s1": "exclusive", "server/web1": "shared", "platform/p1": "shared" };
  expect(leases(["site/s1"], steps)).toEqual(shared);
  expect(leases(["site/s1"], steps, changing("site/s1", "platform/p1"))).toEqual({
    ...shared,
    "platform/p1": "exclusive",
  });
});

test("a server that it has for itself keeps others from its sites: a thousand of them take no lease each", () => {
  const steps = [
    ensureStep(
      "web1",
      Array.from({ length: 1000 }, (_, n) => of(`site/s${n}`)),
    ),
  ];
  expect(leases(["server/web1"], steps, changing("site/s7"))).toEqual({ "server/web1": "exclusive" });
});
