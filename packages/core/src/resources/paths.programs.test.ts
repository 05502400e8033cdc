import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
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
import { text } from "../model/text.ts";
import { directory } from "./directory.ts";
import { file, fileType, type FileInput, type FileSpec } from "./file.ts";
import { link } from "./link.ts";
import type { PathState } from "./path-state.ts";

const owner = userInfo().username;
const group = execFileSync("id", ["-gn"], { encoding: "utf8" }).trim();
const secrets = { "site/a/password": "tópsecret" };
const password = { ref: "secret", id: "site/a/password", label: "db password" } as const;
const target = testTarget(secrets);
let root = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "paths-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (...names: string[]): string => join(root, ...names);
const mine = (input: FileInput): Declared => file({ owner, group, ...input });

const { changesFor, ensure } = resourceHarness<PathState>(() => target);

test("a file is made as declared, and a second diff is empty", async () => {
  await ensure(mine({ path: at("a.conf"), content: "hello\n", mode: 0o640 }));
  expect(readFileSync(at("a.conf"), "utf8")).toBe("hello\n");
  expect(lstatSync(at("a.conf")).mode & 0o7777).toBe(0o640);
  expect(await changesFor([mine({ path: at("a.conf"), content: "hello\n", mode: 0o640 })])).toEqual([]);
  expect(readdirSync(root)).toEqual(["a.conf"]);
});

test("undo brings back bytes and mode exactly, also of a binary file, and takes away what was made", async () => {
  const bytes = Buffer.from([0, 1, 10, 0, 255, 254, 13, 10]);
  writeFileSync(at("old"), bytes);
  chmodSync(at("old"), 0o604);
  const declared = [mine({ path: at("old"), content: "new" }), mine({ path: at("fresh"), content: "" })];
  const changes = await ensure(...declared);
  expect(readFileSync(at("old"), "utf8")).toBe("new");
  await fileType.apply(target, swapped(changes));
  expect(readFileSync(at("old"))).toEqual(bytes);
  expect(lstatSync(at("old")).mode & 0o7777).toBe(0o604);
  expect(existsSync(at("fresh"))).toBe(false);
});

test("a secret is put in at the write and is in nothing that is shown", async () => {
  const declared = mine({ path: at("settings"), content: text`password=${password};`, mode: 0o600 });
  const spec = declared.spec as FileSpec;
  await ensure(declared);
  expect(readFileSync(at("settings"), "utf8")).toBe("password=tópsecret;");
  const state = (await fileType.read(target, [at("settings")], { contents: true })).get(at("settings"));
  if (state === undefined) throw new Error("the file was not read");
  const shown = [
    fileType.showSpec(spec),
    fileType.showState(state),
    fileType.showState(state, spec),
    JSON.stringify(fileType.identity(state)),
  ];
  expect(shown.join("\n")).not.toContain("secret;");
  expect(shown[0]).toContain("password=<db password>;");
});

test("contents are shown only for a spec that is public; big and binary ones by size and hash", async () => {
  await ensure(mine({ path: at("a"), content: "old\n" }));
  const state = (await fileType.read(target, [at("a")], { contents: true })).get(at("a"));
  if (state === undefined) throw new Error("the file was not read");
  const show = (spec: Partial<FileInput>): string =>
    fileType.showState(state, mine({ path: at("a"), content: "", ...spec }).spec as FileSpec);
  expect(show({})).toContain("old\n");
  expect(show({ sensitive: true })).not.toContain("old");
  expect(show({ content: text`${password}` })).not.toContain("old");
  expect(fileType.showState(state)).not.toContain("old");
  const binary = { ...state, content: Buffer.from([255, 0]).toString("base64") } as PathState;
  expect(fileType.showState(binary, mine({ path: at("a"), content: "" }).spec as FileSpec)).toMatch(
    /\(2 bytes, sha256 [0-9a-f]{64}\)/,
  );
  expect(fileType.showSpec(mine({ path: at("a"), content: "x".repeat(1024 * 1024 + 1) }).spec as FileSpec)).toMatch(
    /\(1048577 bytes, sha256/,
  );
  expect(fileType.showSpec(mine({ path: at("a"), content: "\u001b[2Jx" }).spec as FileSpec)).not.toContain("\u001b");
});

test("what somebody changed since it was read is left alone and named, and all others are done", async () => {
  writeFileSync(at("a"), "1");
  writeFileSync(at("b"), "1");
  const changes = await changesFor(["a", "b", "c"].map((name) => mine({ path: at(name), content: "2" })));
  writeFileSync(at("a"), "theirs");
  await expect(fileType.apply(target, changes)).rejects.toMatchObject({
    code: "HW_RESOURCE_CHANGED",
    data: { keys: [at("a")] },
  });
  expect(["a", "b", "c"].map((name) => readFileSync(at(name), "utf8"))).toEqual(["theirs", "2", "2"]);
});

test("a changed mode alone is a change of the thing", async () => {
  writeFileSync(at("a"), "1");
  const changes = await changesFor([mine({ path: at("a"), content: "2" })]);
  chmodSync(at("a"), 0o600);
  await expect(fileType.apply(target, changes)).rejects.toMatchObject({ code: "HW_RESOURCE_CHANGED" });
  expect(readFileSync(at("a"), "utf8")).toBe("1");
});

test("applying twice, and undoing what was only half applied, end where they should", async () => {
  const changes = await changesFor(["a", "b"].map((name) => mine({ path: at(name), content: name })));
  await fileType.apply(target, changes.slice(0, 1));
  await fileType.apply(target, changes);
  expect(readdirSync(root).toSorted()).toEqual(["a", "b"]);
  rmSync(at("b"));
  await fileType.apply(target, swapped(changes));
  expect(readdirSync(root)).toEqual([]);
});

test("another kind of thing at the path is refused before anything is touched", async () => {
  mkdirSync(at("a"));
  symlinkSync("/etc/passwd", at("b"));
  for (const name of ["a", "b"]) {
    await expect(
      ensure(mine({ path: at("fresh"), content: "" }), mine({ path: at(name), content: "" })),
    ).rejects.toMatchObject({
      code: "HW_RESOURCE_FOREIGN",
      data: { keys: [at(name)] },
    });
  }
  expect(readdirSync(root).toSorted()).toEqual(["a", "b"]);
});

test("a folder on the way that is a link, or that others may write, is refused and named", async () => {
  mkdirSync(at("real"));
  symlinkSync("real", at("via"));
  const through = mine({ path: at("via", "x"), content: "x" });
  const open = mine({ path: at("open", "deep", "x"), content: "x" });
  const [fresh] = await changesFor([open]);
  if (fresh === undefined) throw new Error("nothing to do");
  await expect(fileType.apply(target, [{ ...fresh, key: at("via", "x") }])).rejects.toMatchObject({
    code: "HW_PERMISSION_DENIED",
  });
  await expect(ensure(through)).rejects.toMatchObject({ code: "HW_RESOURCE_FOREIGN" });
  mkdirSync(at("open"));
  mkdirSync(at("open", "deep"));
  for (const mode of [0o777, 0o775, 0o1777]) {
    chmodSync(at("open", "deep"), mode);
    await expect(fileType.apply(target, [fresh])).rejects.toMatchObject({
      code: "HW_PERMISSION_DENIED",
      message: expect.stringContaining(at("open", "deep")),
    });
  }
  chmodSync(at("open", "deep"), 0o755);
  chmodSync(at("open"), 0o777);
  await expect(fileType.apply(target, [fresh])).rejects.toMatchObject({ code: "HW_PERMISSION_DENIED" });
  expect(readdirSync(at("real"))).toEqual([]);
  expect(readdirSync(at("open", "deep"))).toEqual([]);
});

test("a stream that is cut changes nothing", async () => {
  const changes = await changesFor([
    mine({ path: at("a"), content: "whole" }),
    mine({ path: at("b"), content: "whole" }),
  ]);
  const cutting = {
    ...target,
    mutate: async (script: Parameters<typeof target.mutate>[0]) => {
      const whole = script.stdin as Buffer;
      return target.mutate({ ...script, stdin: whole.subarray(0, whole.length - 6) });
    },
  };
  await expect(fileType.apply(cutting, changes)).rejects.toMatchObject({ code: "HW_COMMAND_FAILED" });
  expect(readdirSync(root)).toEqual([]);
});

test("what a crash left beside a target is gone after the next apply", async () => {
  writeFileSync(at(".a.hostwright-new"), "half");
  await ensure(mine({ path: at("a"), content: "1" }));
  expect(readdirSync(root)).toEqual(["a"]);
});

test("what a crash left beside targets goes without a change of them, and nothing through a link", async () => {
  mkdirSync(at("folder"));
  mkdirSync(at("elsewhere"));
  symlinkSync(at("elsewhere"), at("link"));
  writeFileSync(at("a"), "whole");
  const left = [".a.hostwright-new", "folder/.b.hostwright-new", "elsewhere/.c.hostwright-new"];
  for (const name of left) writeFileSync(at(name), "half");
  mkdirSync(at(".d.hostwright-new"));
  await fileType.clear?.(target, [at("a"), at("folder", "b"), at("link", "c"), at("d"), at("gone", "e")]);
  expect(readdirSync(root).toSorted()).toEqual(["a", "elsewhere", "folder", "link"]);
  expect(readdirSync(at("folder"))).toEqual([]);
  expect(readdirSync(at("elsewhere"))).toEqual([".c.hostwright-new"]);
});

test("a user that does not exist is named and the file is not made", async () => {
  const changes = await changesFor([file({ path: at("a"), content: "", owner: "no-such-user", group })]);
  await expect(fileType.apply(target, changes)).rejects.toMatchObject({
    code: "HW_PREREQUISITE_MISSING",
    message: expect.stringContaining("no-such-user"),
  });
  expect(readdirSync(root)).toEqual([]);
});

test("a missing folder is named", async () => {
  await expect(ensure(mine({ path: at("no", "a"), content: "" }))).rejects.toMatchObject({
    code: "HW_RESOURCE_CHANGED",
    message: expect.stringContaining(at("no")),
  });
});

test("hostile names are only names", async () => {
  const names = ["-rf", "$(touch pwned)", "a'b\"c", "%s%n", "ü …", ".hidden", "end", "a b  c "];
  await ensure(...names.map((name) => mine({ path: at(name), content: `is ${name}` })));
  expect(readdirSync(root).toSorted()).toEqual(names.toSorted());
  for (const name of names) expect(readFileSync(at(name), "utf8")).toBe(`is ${name}`);
});

test("a thousand files are read in one round trip and applied in one", async () => {
  const specs = Array.from(
    { length: 1000 },
    (_, i) => mine({ path: at(`f${i}`), content: `# ${i}\n`.repeat(50) }).spec as FileSpec,
  );
  const keys = specs.map((spec) => spec.path);
  const before = target.server.stats.roundTrips;
  await fileType.apply(
    target,
    specs.map((spec) => ({ key: spec.path, before: null, after: fileType.desired(spec, target.resolve) })),
  );
  const present = await fileType.read(target, keys, { contents: false });
  expect(target.server.stats.roundTrips - before).toBe(2);
  for (const spec of specs) {
    expect(fileType.identity(present.get(spec.path) as PathState)).toEqual(
      fileType.identity(fileType.desired(spec, target.resolve)),
    );
  }
});

test("an author's mistake is named where it is made", () => {
  expect(() => file({ path: "etc/a", content: "" })).toThrow(expect.objectContaining({ code: "HW_INPUT_INVALID" }));
  expect(() => file({ path: "/etc/a", content: "", mode: 0o77777 })).toThrow(
    expect.objectContaining({ code: "HW_INPUT_INVALID" }),
  );
  expect(() => link({ path: "/etc/a", target: "a\nb" })).toThrow(expect.objectContaining({ code: "HW_INPUT_INVALID" }));
  expect(directory({ path: "/srv/a", shared: true })).toEqual({
    type: "directory",
    shared: true,
    spec: { path: "/srv/a", owner: "root", group: "root", mode: 0o755 },
  });
});
