import { afterAll, describe, expect, test } from "vitest";
import type { HostwrightError } from "../errors/hostwright-error.ts";
import { commandError, runChecked, showCommand } from "./checked.ts";
import { LocalServer } from "./local-server.ts";

const server = new LocalServer("web1");
afterAll(() => server.close());

const failed = {
  exitCode: 1,
  signal: null,
  stdout: Buffer.alloc(0),
  stderr: "",
  timedOut: false,
  aborted: false,
  truncated: false,
};
const codeOf = (stderr: string): string => commandError("web1", { argv: ["x"] }, { ...failed, stderr }).code;

describe("runChecked", () => {
  test("gives the result of what succeeds", async () => {
    expect((await runChecked(server, { argv: ["echo", "ok"] })).stdout.toString()).toBe("ok\n");
  });

  test("a failure names server, command and exit code, and holds neither environment nor input", async () => {
    const failing = runChecked(server, {
      script: "echo broken >&2; exit 3",
      args: ["a b"],
      env: { TOKEN: "hush" },
      stdin: "hush",
    });
    const error = (await failing.catch((reason: unknown) => reason)) as HostwrightError;
    expect(error).toMatchObject({
      code: "HW_COMMAND_FAILED",
      server: "web1",
      output: "broken\n",
      data: { exitCode: 3 },
    });
    expect(error.message).toBe("sh -c 'echo broken >&2; exit 3' sh 'a b' on web1 failed with exit code 3");
    expect(JSON.stringify(error)).not.toContain("hush");
  });

  test("a time-out, a cancelled command and a signal have their own words", async () => {
    await expect(runChecked(server, { argv: ["sleep", "9"], timeoutMs: 50 })).rejects.toMatchObject({
      code: "HW_COMMAND_TIMEOUT",
    });
    await expect(runChecked(server, { argv: ["sleep", "9"], signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "HW_CANCELLED",
    });
    await expect(runChecked(server, { script: "kill -s KILL $$" })).rejects.toThrow("was ended by SIGKILL");
  });

  test("a script that may not write is refused access", async (context) => {
    context.skip(process.getuid?.() === 0, "root may write everywhere");
    await expect(runChecked(server, { script: ": >/etc/passwd" })).rejects.toMatchObject({
      code: "HW_PERMISSION_DENIED",
    });
  });
});

describe("commandError", () => {
  test.each([
    ["cp: error writing '/srv/x': No space left on device", "HW_DISK_FULL"],
    ["sudo: a password is required", "HW_PERMISSION_DENIED"],
    ["bob is not in the sudoers file.", "HW_PERMISSION_DENIED"],
    ["sh: 1: cannot create /etc/x: Permission denied", "HW_PERMISSION_DENIED"],
    ["env: '/root/x': Permission denied", "HW_PERMISSION_DENIED"],
    ["PHP Warning: fopen(/x): Permission denied", "HW_COMMAND_FAILED"],
    ["", "HW_COMMAND_FAILED"],
  ])("%s is %s", (stderr, code) => {
    expect(codeOf(stderr)).toBe(code);
  });

  test.each([
    ["Failed to backup /etc/gshadow: Input/output error\nsystemd-sysusers failed", true],
    ["systemd: Connection refused", true],
    ["Failed to connect to bus: No such file or directory", true],
    ["Failed to connect to system scope bus via local transport: Connection refused", true],
    ["Unit x.service not found. systemd: no", false],
    ["", false],
  ])("%s passes: %s", (stderr, retryable) => {
    expect(commandError("web1", { argv: ["x"] }, { ...failed, stderr }).retryable).toBe(retryable);
  });

  test("keeps the end of long output, without control characters", () => {
    const { output } = commandError("web1", { argv: ["x"] }, { ...failed, stderr: `${"a".repeat(9000)}\u001b[31mend` });
    expect(output).toHaveLength(4000);
    expect(output?.endsWith("?[31mend")).toBe(true);
  });
});

describe("showCommand", () => {
  test("is one bounded line", () => {
    expect(showCommand({ argv: ["echo", "two\nlines", "it's"] })).toBe("echo 'two lines' 'it'\\''s'");
    expect(showCommand({ script: "\nset -e\nrest", args: ["\u0007"] })).toBe("sh -c 'set -e ...' sh '?'");
    expect(showCommand({ argv: ["echo", "x".repeat(1000)] }).length).toBeLessThan(310);
  });
});
