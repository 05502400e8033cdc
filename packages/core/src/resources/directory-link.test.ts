import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { userInfo } from "node:os";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, expect, test } from "vitest";
import { resourceHarness, swapped } from "../../test/resource-harness.ts";
import { testTarget } from "../../test/test-target.ts";
import type { Declared } from "../contracts/resource.ts";
import { directory, directoryType } from "./directory.ts";
import { link, linkType } from "./link.ts";
import type { PathState } from "./path-state.ts";

const owner = userInfo().username;
const group = execFileSync("id", ["-gn"], { encoding: "utf8" }).trim();
const target = testTarget();
let root = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "paths-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (...names: string[]): string => join(root, ...names);
const folder = (path: string, mode = 0o755): Declared => directory({ path, owner, group, mode });

const { changesFor, ensure } = resourceHarness<PathState>(() => target);

test("folders are made from the top, whatever the order, and go from the leaves", async () => {
  const changes = await ensure(folder(at("x", "y", "z"), 0o700), folder(at("x")), folder(at("x", "y"), 0o750));
  expect(lstatSync(at("x", "y", "z")).mode & 0o7777).toBe(0o700);
  expect(await changesFor([folder(at("x", "y"), 0o750)])).toEqual([]);
  await directoryType.apply(target, swapped(changes));
  expect(readdirSync(root)).toEqual([]);
});

test("a folder's mode is set and undone on itself alone; one that is not empty is not removed", async () => {
  mkdirSync(at("d"), { mode: 0o755 });
  writeFileSync(at("d", "inside"), "theirs", { mode: 0o644 });
  const changes = await ensure(folder(at("d"), 0o2750));
  expect(lstatSync(at("d")).mode & 0o7777).toBe(0o2750);
  expect(lstatSync(at("d", "inside")).mode & 0o7777).toBe(0o644);
  await directoryType.apply(target, swapped(changes));
  expect(lstatSync(at("d")).mode & 0o7777).toBe(0o755);
  const before = changes[0]?.before ?? null;
  await expect(directoryType.apply(target, [{ key: at("d"), before, after: null }])).rejects.toMatchObject({
    code: "HW_RESOURCE_CHANGED",
    message: expect.stringContaining("not empty"),
  });
  expect(readFileSync(at("d", "inside"), "utf8")).toBe("theirs");
});

test("a link is made, moved, undone and removed; what it points to is never touched", async () => {
  writeFileSync(at("one"), "1");
  const made = await ensure(link({ path: at("current"), target: "one" }));
  expect(await changesFor([link({ path: at("current"), target: "one" })])).toEqual([]);
  const moved = await ensure(link({ path: at("current"), target: at("two words\\") }));
  expect(readlinkSync(at("current"))).toBe(at("two words\\"));
  await linkType.apply(target, swapped(moved));
  expect(readlinkSync(at("current"))).toBe("one");
  await linkType.apply(target, swapped(made));
  expect(readdirSync(root)).toEqual(["one"]);
});
