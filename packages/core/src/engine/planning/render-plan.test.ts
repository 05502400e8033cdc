import { expect, test } from "vitest";
import { NOTHING } from "./task-engine.ts";
import type { Action, EnsureAction, PlanData, PlannedChange } from "./plan.ts";
import { renderPlan } from "./render-plan.ts";

const change = (part: Partial<PlannedChange>): PlannedChange => ({
  type: "file",
  key: "/etc/site.conf",
  owner: "site/s1",
  shared: false,
  before: "h1",
  after: "h2",
  spec: {},
  holder: "own",
  show: { before: null, after: null },
  ...part,
});
const ensure = (changes: readonly PlannedChange[], part: Partial<EnsureAction> = {}): Action => {
  const common = { title: "files", server: "v1", serverName: "web1", phase: "prepare" } as const;
  return { ...common, kind: "ensure", changes, ...part };
};
const plan = (...actions: Action[]): PlanData => ({
  value: {},
  ...NOTHING,
  id: "p1",
  task: "t1",
  hash: "",
  request: {},
  title: "install example.com",
  createdAt: "",
  expiresAt: "",
  leases: [],
  register: [],
  needs: [],
  actions,
});

test("an empty plan says so", () => {
  expect(renderPlan(plan())).toBe("Plan p1: install example.com\n  nothing to do: everything stands as wanted\n");
});

test("a plan reads from top to bottom: made, changed, removed, run, commit, clean-up, sum", () => {
  const made = change({ key: "/srv/a", before: null, show: { before: null, after: "one\ntwo\n" } });
  const folder = change({
    type: "directory",
    key: "/srv",
    before: null,
    show: { before: null, after: "root:root 0755" },
  });
  const changed = change({ show: { before: "a\nb\nc\nd\ne\nf\n", after: "a\nb\nc\nd\nE\nf\n" } });
  const removed = change({ key: "/srv/old", after: null, show: { before: "x", after: null } });
  const probe: Action = {
    kind: "run",
    title: "probe the page",
    server: "v2",
    serverName: "web2",
    phase: "prepare",
    operation: "probe-page",
    version: 1,
    input: {},
  };
  const activate: Action = {
    kind: "activate",
    title: "publish example.com",
    server: "v1",
    serverName: "web1",
    phase: "prepare",
    service: "http",
    from: 0,
    force: false,
  };
  const actions = [
    ensure([folder, made, changed]),
    activate,
    probe,
    ensure([removed], { phase: "clean-up", title: "old files" }),
  ];
  expect(renderPlan(plan(...actions))).toBe(`Plan p1: install example.com

  1. [web1] files
     + directory /srv
         root:root 0755
     + file /srv/a
         + one
         + two
     ~ file /etc/site.conf
          c
          d
         -e
         +E
          f

  2. [web1] publish example.com
     * a new generation of http: test, switch, reload once

  3. [web2] probe the page (runs probe-page)

  -- commit: from here on everything goes forward --

  4. [web1] old files
     - file /srv/old

  4 actions on 2 servers: 2 to make, 1 to change, 1 to remove, 1 to run
`);
});

test("without diffs each change is one line, and nothing says that lines are missing", () => {
  const changed = plan(ensure([change({ show: { before: "old\n", after: "new\n" } })]));
  expect(renderPlan(changed)).toContain("+new");
  const short = renderPlan(changed, { diffs: false });
  expect(short).toContain("     ~ ");
  expect(short).not.toMatch(/new|old|not shown/);
});

test("what is adopted is said", () => {
  const text = renderPlan(plan(ensure([change({ holder: "nobody", show: { before: "theirs", after: "ours" } })])));
  expect(text).toContain("~ file /etc/site.conf (adopt: stands there already)");
  expect(text).toContain("-theirs\n");
  expect(text).toContain("+ours\n");
});

test("what a run is given and what a change holds beyond what is shown are not printed", () => {
  const hidden = { password: "hush" };
  const run = {
    kind: "run",
    title: "run",
    server: "v1",
    serverName: "web1",
    phase: "prepare",
    operation: "o",
    version: 1,
  } as const;
  const text = renderPlan(plan(ensure([change({ spec: hidden })]), { ...run, input: hidden }));
  expect(text).not.toContain("hush");
});

test("a hostile file content cannot pass itself off as a line of the plan", () => {
  const after = "x\n\n  9. [web1] nothing\n     - file /etc/passwd\n";
  const lines = renderPlan(plan(ensure([change({ before: null, show: { before: null, after } })]))).split("\n");
  expect(lines).not.toContain("  9. [web1] nothing");
  expect(lines).not.toContain("     - file /etc/passwd");
});

const many = (name: string, count: number): string =>
  Array.from({ length: count }, (_, line) => `rewrite ^/${name}-${line}$ /new-${name}-${line} permanent;`).join("\n");

test("a plan of more changes than a call takes arguments is shown, by their names where they are too many to be read", () => {
  const folders = Array.from({ length: 150_000 }, (_, index) =>
    change({ key: `/srv/${index}`, before: null, show: { before: null, after: "root:root 0755" } }),
  );
  const lines = renderPlan(plan(ensure(folders))).split("\n");
  expect(lines).toContain("     + file /srv/149999");
  expect(lines.filter((line) => line.includes("root:root")).length).toBe(5000);
  expect(lines).toContain("  contents of further changes are not shown: more than 5000 lines");
  expect(lines.at(-2)).toContain("150000 to make");
});

test("a text in which everything changed is shown by its size, and one in which little changed by its lines", () => {
  const all = change({ show: { before: many("old", 8000), after: many("new", 8000) } });
  expect(renderPlan(plan(ensure([all])))).toContain("8000 lines before, 8000 after: too many differ to be shown");
  const little = change({ show: { before: many("old", 8000), after: `first\n${many("old", 8000)}` } });
  const lines = renderPlan(plan(ensure([little]))).split("\n");
  expect(lines).toContain("         +first");
  expect(lines.length).toBeLessThan(20);
});
