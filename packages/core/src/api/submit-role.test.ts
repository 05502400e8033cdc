import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { ReadOnlyServer } from "../../test/read-only-server.ts";
import { provide } from "../di/provider.ts";
import type { HostwrightError } from "../errors/hostwright-error.ts";
import { createHostwright, type Hostwright } from "../hostwright.ts";
import { local, ssh } from "../model/records.ts";
import { Secret, secret } from "../model/secret.ts";
import type { HostwrightOptions } from "../options.ts";
import { PART } from "../parts.ts";
import { prepare } from "../tasks/prepare-server.ts";
import type { PreviewValue } from "../contracts/planning.ts";
import { preview } from "../tasks/preview.ts";
import type { Policy } from "./access.ts";

let stateDir: string;
const opened: string[] = [];
const openServer = provide(PART.openServer, () => async ({ name }) => {
  opened.push(name);
  return new ReadOnlyServer(name);
});

beforeEach(() => {
  opened.length = 0;
  stateDir = mkdtempSync(join(tmpdir(), "hostwright-role-"));
  onTestFinished(() => rmSync(stateDir, { recursive: true }));
});

async function open(options: Partial<HostwrightOptions> = {}): Promise<Hostwright> {
  const hw = await createHostwright({ stateDir, plugins: [], provide: [openServer], ...options });
  onTestFinished(async () => hw[Symbol.asyncDispose]());
  return hw;
}

const panel = async (policy?: Policy): Promise<Hostwright> =>
  open(policy === undefined ? { role: "submit" } : { role: "submit", policy });
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "done",
    (error: HostwrightError) => error.code,
  );

async function previewed(hw: Pick<Hostwright, "submit">): Promise<PreviewValue> {
  return (await hw.submit(preview(prepare("here")))).result();
}

describe("the role submit", () => {
  test("neither makes nor reads a key, and refuses to be given one", async () => {
    await using _panel = await panel();
    expect([existsSync(join(stateDir, "store.db")), existsSync(join(stateDir, "key"))]).toEqual([true, false]);
    const key = { key: new Uint8Array(32) };
    const notify = [{ name: "mail", send: async () => undefined }];
    const wrong: Partial<HostwrightOptions>[] = [
      { role: "submit", key },
      { role: "submit", notify },
      { role: "sumbit" as never },
    ];
    for (const options of wrong) await expect(open(options)).rejects.toMatchObject({ code: "HW_INPUT_INVALID" });
    expect(existsSync(join(stateDir, "key"))).toBe(false);
  });

  test("refuses whatever needs key or servers with one code that says what to do", async () => {
    await (await open()).servers.put({ name: "here", connect: local() });
    const hw = await panel();
    const { id } = await hw.submit(prepare("here"));
    const connect = ssh({ host: "a.example", hostKey: `SHA256:${"A".repeat(43)}`, privateKey: secret("hush") });
    const refused = [
      hw.plan(prepare("here")),
      hw.run(prepare("here")),
      (async () => hw.work())(),
      hw.task(id).resolve("retry"),
      hw.servers.put({ name: "new", connect }),
      hw.servers.put({ name: "here", connect }),
      hw.servers.put({ name: "here", connect: local() }),
    ];
    expect(await Promise.all(refused.map(codeOf))).toEqual(refused.map(() => "HW_ROLE_SUBMIT"));
    const error = await hw.plan(prepare("here")).catch((caught: HostwrightError) => caught);
    expect(error).toMatchObject({ remedy: expect.stringContaining("Submit a request") });
    expect((await hw.servers.list()).map(({ name, connect: { type } }) => [name, type])).toEqual([["here", "local"]]);
    expect(opened).toEqual([]);
    expect((await hw.servers.put({ name: "here", services: [], addresses: ["192.0.2.1"] })).addresses).toHaveLength(1);
  });

  test("submits, follows and cancels, and says of the secrets of a value that they are to be read elsewhere", async () => {
    const [worker, hw] = [await open(), await panel()];
    await worker.servers.put({ name: "here", connect: local() });
    expect((await hw.servers.get("here")).connect).toEqual({ type: "local" });
    const { id } = await hw.submit(prepare("here"), { key: "k" });
    expect((await hw.submit(prepare("here"), { key: "k" })).id).toBe(id);
    const link = { ref: "secret", id: `task/${id}/login-link`, label: "login link" };
    const db = new DatabaseSync(join(stateDir, "store.db"));
    const outcome = JSON.stringify({ state: "succeeded", value: { link }, error: null, residue: [] });
    db.prepare("UPDATE tasks SET state = 'succeeded', outcome = ? WHERE id = ?").run(outcome, id);
    db.close();
    const { link: hidden } = await hw.task(id).result();
    expect(hidden).toBeInstanceOf(Secret);
    expect(() => (hidden as Secret).reveal()).toThrow(expect.objectContaining({ code: "HW_ROLE_SUBMIT" }));
    const other = await hw.submit(prepare("here"));
    await other.cancel();
    expect(await other.outcome()).toMatchObject({ state: "undone", error: { code: "HW_CANCELLED" } });
    const types: string[] = [];
    for await (const { type } of hw.events()) {
      types.push(type);
      if (type === "task:finished") break;
    }
    expect(types).toEqual(["task:submitted", "task:submitted", "task:finished"]);
  });
});

describe("a preview", () => {
  test("gives a panel the text of a plan and what approves it; nothing is changed", async () => {
    const [worker, hw] = [await open(), await panel()];
    await worker.servers.put({ name: "here", connect: local() });
    const working = worker.work();
    onTestFinished(async () => working[Symbol.asyncDispose]());
    const { plan, hash, text, title, empty, expiresAt } = await previewed(hw);
    expect([title, empty, Date.parse(expiresAt) > Date.now()]).toEqual(["prepare server here", false, true]);
    expect(text).toContain(`Plan ${plan}: prepare server here`);
    await working[Symbol.asyncDispose]();

    const task = await hw.submit({ plan, hash }, { key: "approved" });
    expect((await hw.submit({ plan, hash }, { key: "approved" })).id).toBe(task.id);
    expect(await codeOf(hw.submit({ plan, hash: `${hash}0` }))).toBe("HW_PLAN_FORGED");
    expect(await codeOf(hw.submit({ plan: `${plan}x`, hash }))).toBe("HW_NOT_FOUND");
    await task.cancel();
  });

  test("needs the right to what is planned, and so does its approval", async () => {
    const worker = await open();
    await worker.servers.put({ name: "here", connect: local() });
    const allow: Policy["allow"] = ({ id }, verb, { name }) =>
      verb === (id === "ann" ? "server:prepare" : "plan:make") && name === "here";
    const hw = await panel({ allow });
    const [ann, bob] = [hw.as({ id: "ann" }), hw.as({ id: "bob" })];
    expect(await codeOf(bob.submit(preview(prepare("here"))))).toBe("HW_FORBIDDEN");
    await using _working = worker.work();
    const { plan, hash } = await previewed(ann);
    expect(await codeOf(bob.submit({ plan, hash }))).toBe("HW_FORBIDDEN");
    expect(await codeOf(hw.submit(preview({ type: "site:explode" } as never)))).toBe("HW_INPUT_INVALID");
    expect(await codeOf(bob.submit(preview(preview(prepare("here")))))).toBe("HW_INPUT_INVALID");
  });

  test("of what cannot be planned fails with its reason", async () => {
    const [worker, hw] = [await open(), await panel()];
    await using _working = worker.work();
    const outcome = await (await hw.submit(preview(prepare("nowhere")))).outcome();
    expect(outcome).toMatchObject({ state: "undone", error: { code: "HW_NOT_FOUND" } });
  });
});
