import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, onTestFinished, test } from "vitest";
import type { CommandResult } from "../contracts/server.ts";
import { LocalServer } from "../servers/local-server.ts";
import { dropFence, runFenced, type Fence } from "./fence.ts";

const server = new LocalServer("web1");
afterAll(async () => server.close());

let folder: string;
beforeEach(() => {
  const parent = mkdtempSync(join(tmpdir(), "hostwright-fence-"));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  folder = join(parent, "state", "fence");
});

const fence = (change: Partial<Fence> = {}): Fence => ({
  scope: "site/s1",
  installation: "i1",
  epoch: 1,
  token: 5,
  ...change,
});
const run = async (holder: Fence, script = "echo done", args: string[] = []): Promise<CommandResult> =>
  runFenced(server, holder, { script, args }, folder);
const outcome = async (holder: Fence): Promise<string> =>
  run(holder).then(
    (result) => result.stdout.toString().trim(),
    (error: unknown) => (error as { code: string }).code,
  );

test("a script runs with its arguments, input and exit code", async () => {
  const script = { script: 'printf "%s|" "$0" "$@"; cat; exit 3', args: ["a b", "$(id)", ""], stdin: "in" };
  const result = await runFenced(server, fence(), script, folder);
  expect(result.stdout.toString()).toBe("sh|a b|$(id)||in");
  expect(result.exitCode).toBe(3);
});

test("who held the scope later keeps an earlier holder from changing anything", async () => {
  expect(await outcome(fence({ token: 5 }))).toBe("done");
  expect(await outcome(fence({ token: 6 }))).toBe("done");
  const late = run(fence({ token: 5 }), `touch "$1/changed"`, [folder]);
  await expect(late).rejects.toMatchObject({ code: "HW_LEASE_LOST", server: "web1" });
  expect(readdirSync(folder)).not.toContain("changed");
  expect(await outcome(fence({ token: 6 }))).toBe("done");
});

test("a token is compared as a number", async () => {
  expect(await outcome(fence({ token: 10 }))).toBe("done");
  expect(await outcome(fence({ token: 9 }))).toBe("HW_LEASE_LOST");
});

test("a higher epoch outranks any token: a store that was restored begins anew", async () => {
  expect(await outcome(fence({ epoch: 1, token: 99 }))).toBe("done");
  expect(await outcome(fence({ epoch: 2, token: 1 }))).toBe("done");
  expect(await outcome(fence({ epoch: 1, token: 100 }))).toBe("HW_LEASE_LOST");
});

test("scopes know nothing of each other", async () => {
  expect(await outcome(fence({ token: 9 }))).toBe("done");
  expect(await outcome(fence({ scope: "site/s2", token: 1 }))).toBe("done");
});

test("two of the same scope never run at once, and each sees the other's work whole", async () => {
  const script = `echo in >> "$1/log"; sleep 0.05; echo out >> "$1/log"`;
  await Promise.all(Array.from({ length: 6 }, async () => run(fence(), script, [folder])));
  expect(readFileSync(join(folder, "log"), "utf8")).toBe("in\nout\n".repeat(6));
});

test("what a script leaves running does not hold the fence", async () => {
  await run(fence(), "sleep 5 >/dev/null 2>&1 & echo $!");
  const started = performance.now();
  expect(await outcome(fence())).toBe("done");
  expect(performance.now() - started).toBeLessThan(2000);
});

test("its folder is for root alone", async () => {
  await run(fence());
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, "..")).mode & 0o777).toBe(0o700);
});

test("a scope that was dropped is forgotten, and dropping it again is fine", async () => {
  await run(fence({ token: 9 }));
  await dropFence(server, "site/s1", folder);
  await dropFence(server, "site/s1", folder);
  expect(readdirSync(folder)).toEqual([]);
  expect(await outcome(fence({ token: 1 }))).toBe("done");
});
