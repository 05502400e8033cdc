import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeEngine, ensureStep, serverRecord } from "../../../test/fake-engine.ts";
import { FakeWorld } from "../../../test/fake-world.ts";
import type { ServiceDefinition } from "../../contracts/plugin.ts";
import type { Publication } from "../../contracts/publication.ts";
import type { RegisteredResource } from "../../contracts/store.ts";
import type { ServerRecord } from "../../model/records.ts";
import type { Action, PlannedChange } from "../planning/plan.ts";
import { planSteps } from "../planning/plan-steps.ts";
import { ownEntries } from "./publication.ts";
import type { Pending } from "../publishing/publisher.ts";
import { Registry } from "../plugins/registry.ts";
import type { EnsureStep, Step } from "../../contracts/steps.ts";

const ROOT = "/etc/web";
const publication = { root: ROOT } as Publication;
const options = { version: 1, schema: null };
const plugin = {
  name: "web",
  contract: 1,
  services: [{ kind: "http", type: "web", options, role: { publication } } as unknown as ServiceDefinition],
};

let world: FakeWorld;
let engine: FakeEngine;

beforeEach(async () => {
  world = new FakeWorld();
  engine = await FakeEngine.open(world, [world.type("file")]);
});
afterEach(async () => engine[Symbol.asyncDispose]());

function publishing(site: string): readonly Step[] {
  const services = [{ name: "http", kind: "http", type: "web", options: {}, optionsVersion: 1 }];
  const server: ServerRecord = { ...serverRecord("web1"), services };
  const items = [{ type: "file", spec: { key: `${ROOT}/entries/${site}.conf`, value: "x" }, owner: `site/${site}` }];
  const pages: EnsureStep = { ...ensureStep("web1", items), id: `pages of ${site}`, title: `pages of ${site}`, server };
  return [pages, { kind: "activate", title: `publish ${site}`, server, phase: "prepare", service: "http" }];
}

async function planned(pending: Pending): Promise<readonly Action[]> {
  const steps = [...publishing("s1"), ...publishing("s2")];
  await engine.carryOut(...steps.filter(({ kind }) => kind === "ensure"));
  await using session = engine.session();
  const planner = { registry: new Registry([plugin], [world.type("file")]), register: engine.store.register, session };
  const rest = {
    fingerprint: (text: string) => engine.box.fingerprint(text),
    version: () => undefined,
    pendingPublication: async () => pending,
  };
  return (await planSteps({ ...planner, ...rest }, steps)).actions;
}

test("what waits is published by whoever plans, once; what was quarantined, by those who declare it", async () => {
  expect(await planned({ waits: false, quarantined: [] })).toEqual([]);
  const titles = (actions: readonly Action[]): string[] => actions.map(({ title }) => title);
  expect(titles(await planned({ waits: true, quarantined: [] }))).toEqual(["publish s1"]);
  const held = await planned({ waits: false, quarantined: [{ name: "s2.conf", reason: "nonsense" }] });
  expect(held).toMatchObject([{ kind: "activate", title: "publish s2", service: "http", from: 0, force: false }]);
});

const change = (key: string, type = "file"): PlannedChange => ({ type, key }) as PlannedChange;
const row = (key: string, owner: string): RegisteredResource =>
  ({ type: "file", key, owner, server: "web1", shared: false, hash: "h" }) as const;

test("a task answers for the entries that it changes and for those of what it holds alone", () => {
  const entry = `${ROOT}/entries/s1.conf`;
  const rows = [
    row(`${ROOT}/entries/s2.conf`, "site/s2"),
    row(`${ROOT}/entries/s3.conf`, "site/s3"),
    row("/x", "site/s2"),
  ];
  expect(ownEntries(publication, [change(entry)], rows, ["site/s2"])).toEqual(["s1.conf", "s2.conf"]);
  expect(ownEntries(publication, [change(entry), change("/etc/other")], [], [])).toEqual(["s1.conf"]);
  expect(ownEntries(publication, [change("/srv", "directory")], [], [])).toEqual([]);
});
