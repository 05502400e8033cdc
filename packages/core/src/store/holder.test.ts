import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { isHolderGone, processHolder } from "./holder.ts";

describe("a holder", () => {
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

  it("is not taken for gone when it cannot be seen from here", () => {
    const [, , boot] = processHolder().split(":");
    expect(isHolderGone(`1:1:${boot}:1`)).toBe(false);
    expect(isHolderGone("worker-7")).toBe(false);
  });
});
