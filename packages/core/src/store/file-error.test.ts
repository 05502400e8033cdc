import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { onFile } from "./file-error.ts";
import { loadKeyring } from "./keyring.ts";
import { openState } from "./open-state.ts";
import { storeError } from "./sqlite/sqlite-error.ts";
import { openSqliteStore } from "./sqlite/sqlite-store.ts";

function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), "hostwright-files-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

function thrown(code: string): () => never {
  return () => {
    throw Object.assign(new Error(`${code}: refused, open`), { code, syscall: "open" });
  };
}

it.each([
  ["EACCES", "HW_PERMISSION_DENIED", false],
  ["EPERM", "HW_PERMISSION_DENIED", false],
  ["EROFS", "HW_PERMISSION_DENIED", false],
  ["ENOSPC", "HW_DISK_FULL", true],
  ["EDQUOT", "HW_DISK_FULL", true],
  ["ENOTDIR", "HW_INPUT_INVALID", false],
  ["ELOOP", "HW_INPUT_INVALID", false],
  ["EMFILE", "HW_STORE_FAILED", true],
  ["EIO", "HW_STORE_FAILED", true],
])("gives %s as %s, with the file and what the system said", (system, code, retryable) => {
  expect(() => onFile("/state/key", thrown(system))).toThrow(
    expect.objectContaining({ code, retryable, data: { file: "/state/key", system }, server: undefined }),
  );
});

it("lets what is no failure of a file system pass", () => {
  const error = new TypeError("mine");
  const fail = (): never => {
    throw error;
  };
  expect(() => onFile("/x", fail)).toThrow(error);
});

it("refuses a state folder that cannot be one with a code, whatever is the matter", async () => {
  const base = folder();
  writeFileSync(join(base, "file"), "");
  symlinkSync("loop", join(base, "loop"));
  for (const stateDir of [join(base, "file", "state"), join(base, "file"), join(base, "loop"), "/proc/none/state"]) {
    await expect(openState({ stateDir })).rejects.toMatchObject({ name: "HostwrightError", code: /^HW_(?!INTERNAL)/ });
  }
  await expect(openSqliteStore({ directory: join(base, "x".repeat(300)) })).rejects.toMatchObject({
    code: "HW_INPUT_INVALID",
  });
});

it("refuses a key that is no file with a code", () => {
  expect(() => loadKeyring({ file: folder() })).toThrow(expect.objectContaining({ name: "HostwrightError" }));
});

it("says of a store on a file system that was mounted read-only that it is so, at opening and later", async (context) => {
  const directory = join(folder(), "state");
  await (await openSqliteStore({ directory })).close();
  const mount = (...argv: string[]): boolean => spawnSync("mount", argv).status === 0;
  if (!mount("--bind", directory, directory)) context.skip("it takes root and a mount of its own");
  onTestFinished(() => void spawnSync("umount", [directory]));
  if (!mount("-o", "remount,ro,bind", directory)) context.skip("its mount cannot be made read-only");
  const refused = {
    code: "HW_PERMISSION_DENIED",
    remedy: expect.stringContaining("Mount its file system writable") as string,
    data: { system: "EROFS" },
  };
  await expect(openSqliteStore({ directory })).rejects.toMatchObject(refused);
  for (const errcode of [8, 10, 14])
    expect(
      storeError(Object.assign(new Error("disk I/O error"), { errcode }), join(directory, "store.db")),
    ).toMatchObject(refused);
});
