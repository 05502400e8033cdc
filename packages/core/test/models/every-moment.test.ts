import { expect, test } from "vitest";
import { PLACES, type Case, type ModelStep, type StartThing, type Thing } from "./case.ts";
import type { Disturbance } from "./chaos.ts";
import { RANKS, type TypeName } from "./model-types.ts";
import { play } from "./play.ts";

/** What the models once found to be wrong: small cases, with their trouble at every moment that there is. */
const MOMENTS = 40;
const TYPES = Object.keys(RANKS) as TypeName[];

const user: Thing = { type: "user", name: "a", value: "v1" };
const ensure = (...items: readonly Thing[]): ModelStep => ({
  kind: "ensure",
  server: 0,
  items,
  remove: [],
  late: false,
});
const remove = (late = false): ModelStep => ({ kind: "ensure", server: 0, items: [], remove: TYPES, late });
const run = (unclear = false, late = false): ModelStep => ({ kind: "run", server: 0, when: "always", unclear, late });
const own = (thing: Thing): StartThing => ({ ...thing, server: 0, holder: "own" });

const die = (at: number): Disturbance => ({ at, kind: "die", when: "before", late: 0 });
const busy = (at: number, took = false): Disturbance => ({ at, kind: "busy", took });
const hang: Disturbance = { at: 0, kind: "hang", took: "nothing" };
const fail = (at: number, took: "nothing" | "half" | "all" = "nothing"): Disturbance => ({
  at,
  kind: "fail",
  took,
  passing: false,
});

interface Kept extends Partial<Pick<Case, "kind" | "start">> {
  readonly steps: readonly ModelStep[];
  readonly trouble: (at: number) => readonly Disturbance[];
}

const promises: Record<string, Kept> = {
  "a plan that a cancel kept from being stored is not run": {
    steps: [ensure(user)],
    trouble: (at) => [{ at, kind: "cancel", told: false }, die(at + 4)],
  },
  "a deleted site's secrets go, although its worker died after the commit": {
    kind: "delete",
    steps: [run()],
    trouble: (at) => [die(at)],
  },
  "what a failing store kept from being undone is listed, and the task is not undone": {
    start: [own(user)],
    steps: [remove()],
    trouble: (at) => [hang, busy(at)],
  },
  "what others shared before is not registered for a task that was undone": {
    start: [{ type: "unit", name: "shared", value: "v1", server: 0, holder: "other" }],
    steps: [
      ensure({ type: "file", name: "shared", value: "v1" }, { type: "unit", name: "shared", value: "v1" }),
      run(),
    ],
    trouble: (at) => [fail(at)],
  },
  "prior states are erased, although the worker died when all was over": {
    start: [own(user)],
    steps: [remove(), ensure({ ...user, name: "b" }), run(false, true)],
    trouble: (at) => [die(at)],
  },
  "what somebody changed by hand in the middle of an undo stays": {
    steps: [ensure({ type: "folder", name: "b", value: "v1" })],
    trouble: (at) => [fail(0, "half"), { at, kind: "meddle", server: 0, place: PLACES.indexOf("folder b") }],
  },
  "servers are free although the worker died when its task came to need attention": {
    steps: [run(true), run()],
    trouble: (at) => [fail(0, "all"), die(at)],
  },
  "a committed task goes forward, although who went on with it could not at first": {
    steps: [ensure(user), run(false, true)],
    trouble: (at) => [die(at), busy(at + 2)],
  },
  "a reserved name is free, although who went on with the task could not at first": {
    kind: "install",
    steps: [ensure(user)],
    trouble: (at) => [die(at), busy(at + 2), fail(at + 3)],
  },
  "what a dead worker had sent changes nothing after its site is gone": {
    kind: "install",
    steps: [run()],
    trouble: (at) => [{ at, kind: "die", when: "transit", late: 16 }],
  },
  "an undo whose last outcome was not journalled does not count": {
    steps: [run()],
    trouble: (at) => [hang, busy(at)],
  },
  "who wakes up when another has gone on with its task ends it no more": {
    steps: [ensure(user)],
    trouble: (at) => [hang, busy(at), { at: at + 2, kind: "die", when: "transit", late: 2 }],
  },
  "a task that was given up is not gone on with without its secrets": {
    kind: "install",
    steps: [ensure()],
    trouble: (at) => [busy(at, true), busy(at + 2)],
  },
  "a commit whose answer was lost is not undone": {
    steps: [ensure(user), run(false, true)],
    trouble: (at) => [busy(at, true)],
  },
};

test.each(Object.entries(promises))("%s, whenever it happens", async (_name, { trouble, ...rest }) => {
  for (let at = 0; at < MOMENTS; at++) {
    const one: Case = { kind: "plain", start: [], again: false, ...rest, disturbances: trouble(at) };
    expect(await play(one), `at moment ${at}`).toEqual([]);
  }
});
