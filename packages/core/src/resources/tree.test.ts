import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { testTarget } from "../../test/test-target.ts";
import { tree, treeType, type TreeSpec, type TreeState } from "./tree.ts";
import { digestTree } from "./tree-digest.ts";

const target = testTarget();
let root = "";
let source = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tree-"));
  source = join(root, "source");
  mkdirSync(join(root, "platforms"));
  write("index.php", "<?php\n");
  write("core/deep/a.txt", "a");
  write("bin/tool", "#!/bin/sh\n", 0o700);
  write("names/-rf $(x) 'ü'\\n", "hostile");
  write("names/back\\slash", "hostile");
  mkdirSync(join(source, "empty"));
  symlinkSync("../core/deep/a.txt", join(source, "names/link"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, content: string | Buffer, mode = 0o600): void {
  mkdirSync(dirname(join(source, path)), { recursive: true });
  writeFileSync(join(source, path), content, { mode });
}

const place = (): string => join(root, "platforms", "one");
const specOf = async (more: Partial<TreeSpec> = {}): Promise<TreeSpec> =>
  tree({ path: place(), source, digest: await digestTree(source), ...more }).spec as TreeSpec;
const present = async (): Promise<TreeState | null> =>
  (await treeType.read(target, [place()], { contents: false })).get(place()) ?? null;
const publish = async (spec: TreeSpec): Promise<void> =>
  treeType.apply(target, [{ key: spec.path, before: null, after: treeType.desired(spec, target.resolve) }]);

test("a release stands whole at its place, with normal modes, links and mount points, and reads back as wished", async () => {
  const spec = await specOf({
    at: "web",
    mountPoints: [
      { path: "web/sites/default", kind: "directory" },
      { path: "settings.php", kind: "file" },
      { path: "web/index.php", kind: "file" },
    ],
  });
  await publish(spec);
  expect(await present()).toEqual({ digest: spec.digest });
  const at = (path: string): string => join(place(), path);
  const mode = (path: string): number => lstatSync(at(path)).mode & 0o7777;
  expect(readFileSync(at("web/index.php"), "utf8")).toBe("<?php\n");
  expect([mode("."), mode("web/core"), mode("web/index.php"), mode("web/bin/tool"), mode("settings.php")]).toEqual([
    0o755, 0o755, 0o644, 0o755, 0o644,
  ]);
  expect(readlinkSync(at("web/names/link"))).toBe("../core/deep/a.txt");
  expect(lstatSync(at("web/sites/default")).isDirectory()).toBe(true);
  expect(lstatSync(at("web/empty")).isDirectory()).toBe(true);
  expect(readdirSync(join(root, "platforms"))).toEqual(["one"]);
});

test("publishing is one round trip, and undo takes the release away", async () => {
  const spec = await specOf();
  const before = target.server.stats.roundTrips;
  await publish(spec);
  expect(target.server.stats.roundTrips - before).toBe(1);
  await treeType.apply(target, [{ key: place(), before: treeType.desired(spec, target.resolve), after: null }]);
  expect(readdirSync(join(root, "platforms"))).toEqual([]);
});

test("a source that changed after its digest was taken is not published, and nothing of it stays", async () => {
  const spec = await specOf();
  write("core/deep/a.txt", "b");
  await expect(publish(spec)).rejects.toMatchObject({ code: "HW_RESOURCE_CHANGED", data: { keys: [place()] } });
  expect(readdirSync(join(root, "platforms"))).toEqual([]);
});

test("a stream that was cut publishes nothing, wherever the cut is", async () => {
  const spec = await specOf();
  const whole = execFileSync("tar", ["--create", "--file=-", "--sort=name", "-C", source, "."], { maxBuffer: 1e8 });
  const after = treeType.desired(spec, target.resolve);
  for (const length of [0, 512, 1000, 2048, whole.length / 2]) {
    const cutting = {
      ...target,
      mutate: async (script: Parameters<typeof target.mutate>[0]) =>
        target.mutate({ ...script, stdin: whole.subarray(0, length) }),
    };
    await expect(treeType.apply(cutting, [{ key: place(), before: null, after }])).rejects.toThrow(/./);
    expect(readdirSync(join(root, "platforms"))).toEqual([]);
  }
});

test("another digest at the same place, and what is no release, are refused and stay as they are", async () => {
  const first = await specOf();
  await publish(first);
  write("index.php", "<?php // new\n");
  const second = await specOf();
  const change = { key: place(), before: await present(), after: treeType.desired(second, target.resolve) };
  await expect(treeType.apply(target, [change])).rejects.toMatchObject({ code: "HW_RESOURCE_FOREIGN" });
  await expect(treeType.apply(target, [{ ...change, before: null }])).rejects.toMatchObject({
    code: "HW_RESOURCE_CHANGED",
  });
  expect(await present()).toEqual({ digest: first.digest });
  rmSync(join(place(), ".hostwright-release"));
  expect(await present()).toEqual({ digest: null });
  await expect(treeType.apply(target, [{ key: place(), before: await present(), after: null }])).rejects.toMatchObject({
    code: "HW_RESOURCE_FOREIGN",
  });
  expect(existsSync(join(place(), "index.php"))).toBe(true);
});

describe("what a crash left beside the place is gone, and others' folders stay", () => {
  const left = [".one.partial-0123456789ab", ".one.removed-0123456789ab"];
  const others = [".one.partial-mine", ".two.partial-0123456789ab"];

  beforeEach(() => {
    for (const name of [...left, ...others]) mkdirSync(join(root, "platforms", name, "deep"), { recursive: true });
  });

  test("with the next attempt", async () => {
    await publish(await specOf());
    expect(readdirSync(join(root, "platforms")).toSorted()).toEqual([...others, "one"]);
  });

  test("with the undo of an attempt without outcome", async () => {
    await treeType.clear?.(target, [place(), join(root, "elsewhere", "one")]);
    expect(readdirSync(join(root, "platforms")).toSorted()).toEqual(others);
    expect(existsSync(join(root, "elsewhere"))).toBe(false);
  });
});

test("missing folders above are made; one that others may write is refused", async () => {
  const spec = await specOf({ path: join(root, "srv", "platforms", "one") });
  await publish(spec);
  expect(existsSync(join(root, "srv", "platforms", "one", "index.php"))).toBe(true);
  chmodSync(join(root, "platforms"), 0o777);
  await expect(publish(await specOf())).rejects.toMatchObject({ code: "HW_PERMISSION_DENIED" });
  expect(readdirSync(join(root, "platforms"))).toEqual([]);
});

test("the digest is of what is published: content, names, executability and links; not of other modes or times", async () => {
  const digest = await digestTree(source);
  chmodSync(join(source, "index.php"), 0o644);
  write("core/deep/a.txt", "a");
  expect(await digestTree(source)).toBe(digest);
  const changes = [
    (): void => chmodSync(join(source, "index.php"), 0o755),
    (): void => write("core/deep/a.txt", "b"),
    (): void => write("new", ""),
    (): void => mkdirSync(join(source, "empty/too")),
    (): void => symlinkSync("a.txt", join(source, "core/deep/again")),
    (): void => write("big", Buffer.alloc(3 * 1024 * 1024, 7)),
  ];
  const seen = new Set([digest]);
  for (const change of changes) {
    change();
    seen.add(await digestTree(source));
  }
  expect(seen.size).toBe(changes.length + 1);
});

test.for<[string, (path: string) => void]>([
  ["an absolute link", (path) => symlinkSync("/etc/passwd", path)],
  ["a link out of the folder", (path) => symlinkSync("../outside", path)],
  ["a link to nothing", (path) => symlinkSync("nothing", path)],
  [
    "a link that leaves the folder through another link",
    (path) => {
      mkdirSync(`${path}-a/b/c`, { recursive: true });
      symlinkSync("../..", `${path}-a/b/up`);
      symlinkSync("bad-a/b/up/../outside", path);
    },
  ],
  ["a pipe", (path) => execFileSync("mkfifo", [path])],
  ["a name with a line break", (path) => writeFileSync(`${path}\n`, "")],
])("a source with %s is refused, naming it", async ([, make]) => {
  writeFileSync(join(root, "outside"), "");
  make(join(source, "bad"));
  await expect(digestTree(source)).rejects.toMatchObject({
    code: "HW_PLATFORM_INVALID",
    message: expect.stringContaining("bad"),
  });
});

test("a source that is not there, or no folder, is refused", async () => {
  await expect(digestTree(join(root, "nowhere"))).rejects.toMatchObject({ code: "HW_PLATFORM_INVALID" });
  await expect(digestTree(join(source, "index.php"))).rejects.toMatchObject({ code: "HW_PLATFORM_INVALID" });
});
