import { spawn } from "node:child_process";
import { once } from "node:events";
import type FileSystem from "node:fs";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { bootId, isHolderGone, newHolder, processHolder } from "./holder.ts";
import { openSqliteStore } from "./sqlite/sqlite-store.ts";

const proc = vi.hoisted(() => ({ isThere: true }));
vi.mock("node:fs", async (original) => {
  const fs = await original<typeof FileSystem>();
  const gone = (path: unknown): boolean => !proc.isThere && String(path).startsWith("/proc/");
  const refuse = (path: string): never => fs.readFileSync(`/nowhere${path}`) as never;
  return {
    ...fs,
    readFileSync: (path: string, ...rest: []) => (gone(path) ? refuse(path) : fs.readFileSync(path, ...rest)),
    readlinkSync: (path: string, ...rest: []) => (gone(path) ? refuse(path) : fs.readlinkSync(path, ...rest)),
  };
});

function withoutProc(): void {
  proc.isThere = false;
  onTestFinished(() => void (proc.isThere = true));
}

describe("a holder", () => {
  it("is one of its own for each worker, in one process and in every copy of the module, and lives as long as that", () => {
    const [one, two] = [newHolder(), newHolder()];
    expect(one).not.toBe(two);
    for (const holder of [one, two]) {
      expect(holder.startsWith(`${processHolder()}:`)).toBe(true);
      expect(isHolderGone(holder)).toBe(false);
      expect(isHolderGone(holder.replace(/^\d+/, "4194303"))).toBe(true);
    }
  });

  it("is this process or another, by pid, start time, boot and pid namespace", () => {
    expect(processHolder()).toMatch(new RegExp(`^${process.pid}:\\d+:[0-9a-f-]{36}:\\d+$`));
    expect(processHolder()).toBe(processHolder(process.pid));
    expect(isHolderGone(processHolder())).toBe(false);
    expect(() => processHolder(2 ** 22 + 1)).toThrow(expect.objectContaining({ code: "HW_HOST_UNSUPPORTED" }));
  });

  it("is gone when its process ended, even before anyone reaped it, whatever its name looks like", async () => {
    // The shell starts a child, which ends while nobody waits for it: a zombie.
    const shell = spawn("sh", ["-c", `sh -c 'exec 3<&0; echo $$; read line' & exec sleep 30`], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const [data] = (await once(shell.stdout, "data")) as [Buffer];
    const holder = processHolder(Number(data.toString()));
    await expect.poll(() => isHolderGone(holder)).toBe(true);
    shell.kill("SIGKILL");
    await once(shell, "close");
    expect(isHolderGone(holder)).toBe(true);
  });

  it("is gone when its pid belongs to a later process or the machine started anew", () => {
    const [pid, start, boot, namespace] = processHolder().split(":");
    expect(isHolderGone(`${pid}:${Number(start) - 1}:${boot}:${namespace}`)).toBe(true);
    expect(isHolderGone(`${pid}:${start}:00000000-0000-0000-0000-000000000000:${namespace}`)).toBe(true);
    expect(isHolderGone(`${pid}:${start}:${boot}`)).toBe(false);
  });

  it("without /proc has a name of its own, and takes nobody for gone but nobody: heartbeats judge", () => {
    const seen = processHolder();
    withoutProc();
    expect(processHolder()).toMatch(/^unseen-[0-9a-f-]{36}$/);
    expect(processHolder()).toBe(processHolder());
    expect(bootId()).toBeNull();
    for (const holder of [seen, processHolder(), "1:1:00000000-0000-0000-0000-000000000000:1"])
      expect(isHolderGone(holder)).toBe(false);
    expect(isHolderGone("nobody")).toBe(true);
    proc.isThere = true;
    expect(isHolderGone("unseen-x")).toBe(false);
  });

  it("without /proc can work on a store, whose event numbers leap at each opening", async () => {
    withoutProc();
    const directory = join(mkdtempSync(join(tmpdir(), "hostwright-noproc-")), "state");
    const event = { at: "2026", task: null, type: "a:b", payload: null };
    const numbers: number[] = [];
    for (let n = 0; n < 2; n++) {
      const store = await openSqliteStore({ directory });
      const scopes = [{ scope: `site/${n}`, mode: "exclusive" }] as const;
      expect(await store.leases.acquire(`t${n}`, processHolder(), scopes)).toHaveProperty("granted");
      numbers.push((await store.events.append([event]))[0]?.seq ?? 0);
      await store.close();
    }
    expect((numbers[1] ?? 0) - (numbers[0] ?? 0)).toBeGreaterThan(100_000);
  });

  it("is not taken for gone when it cannot be seen from here", () => {
    const [, , boot] = processHolder().split(":");
    expect(isHolderGone(`1:1:${boot}:1`)).toBe(false);
    expect(isHolderGone("worker-7")).toBe(false);
  });
});
