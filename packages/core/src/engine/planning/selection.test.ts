import { expect, test } from "vitest";
import type { Selector } from "../../contracts/steps.ts";
import { FakeWorld } from "../../../test/fake-world.ts";
import { Registry } from "../plugins/registry.ts";
import { selection } from "./selection.ts";

const world = new FakeWorld();
const types = [world.type("file"), world.type("unit"), world.type("database", { removal: "clean-up" })];
const registry = new Registry([], types);

const rows = [
  ["file", "/etc/web/entries/s1.conf", "site/s1"],
  ["file", "/etc/web/entries.d/s1.conf", "site/s1"],
  ["unit", "s1.service", "site/s1"],
  ["database", "s1", "site/s1"],
  ["file", "/etc/web/entries/s2.conf", "site/s2"],
].map(([type = "", key = "", owner = ""]) => ({ server: "web1", type, key, owner }));

const chosen = (...selectors: readonly Selector[]): string[] =>
  rows.filter(selection(registry, selectors)).map(({ type, key }) => `${type} ${key}`);

const owners = ["site/s1"];

test.each([
  ["all of an owner", [{ owners }], [0, 1, 2, 3]],
  ["nothing of nobody", [{ owners: [] }], []],
  ["a type", [{ owners, types: ["unit"] }], [2]],
  ["no type", [{ owners, types: [] }], []],
  ["what is removed as soon as nobody declares it", [{ owners, removal: "delete" }], [0, 1, 2]],
  ["what lies in a folder, and not in one whose name begins like it", [{ owners, below: "/etc/web/entries" }], [0]],
  ["a folder with its slash", [{ owners, below: "/etc/web/entries/" }], [0]],
  ["a key", [{ owners, keys: ["s1"] }], [3]],
  ["a key of a type", [{ owners, keys: ["s1"], types: ["unit"] }], []],
  [
    "all but what fits an exception",
    [{ owners, except: [{ types: ["unit"] }, { below: "/etc/web/entries" }] }],
    [1, 3],
  ],
  ["an exception whose filter is empty takes everything out", [{ owners, except: [{}] }], []],
  [
    "what any of several chooses, once",
    [
      { owners, types: ["unit"] },
      { owners: ["site/s1", "site/s2"], below: "/etc" },
    ],
    [0, 1, 2, 4],
  ],
] as const)("chooses %s", (_what, selectors, expected) => {
  const wanted = expected.map((index) => rows[index]).map((row) => `${row?.type} ${row?.key}`);
  expect(chosen(...selectors)).toEqual(wanted);
});

test("chooses nothing where there is no selector", () => {
  expect(rows.filter(selection(registry))).toEqual([]);
});
