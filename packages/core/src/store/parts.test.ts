import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { secret } from "../model/secret.ts";
import { requireOwnKey } from "./key-check.ts";
import { loadKeyring } from "./keyring.ts";
import { openState, type StateOptions } from "./open-state.ts";
import { SecretBox } from "./sealing.ts";
import { openSqliteKernel } from "./sqlite/sqlite-store.ts";
import { stateStore } from "./state-store.ts";

let base: string;
let stateDir: string;

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), "hostwright-parts-"));
  stateDir = join(base, "state");
  onTestFinished(() => rmSync(base, { recursive: true }));
  await used(stateDir);
});

/** A state that was worked with: it has a record, a secret and an event. */
async function used(dir: string, options: Partial<StateOptions> = {}): Promise<void> {
  const { store, box } = await openState({ stateDir: dir, ...options });
  const site = { kind: "site", id: "s1", name: "a.test", value: {} } as const;
  if ((await store.records.get("site", "s1")) === null) await store.records.put(site, { expect: 0, claims: [] });
  await store.secrets.add("site/s1/db-password", box.seal("hush", "site/s1/db-password"));
  await store.events.append([{ at: "2026", task: null, type: "a:b", payload: null }]);
  await store.close();
}

const remove = (...names: string[]): void => {
  for (const name of names)
    for (const ending of ["", "-wal", "-shm"]) rmSync(join(stateDir, `${name}${ending}`), { force: true });
};
const open = async (options: Partial<StateOptions> = {}): Promise<void> => {
  const { store } = await openState({ stateDir, ...options });
  await store.close();
};
const incomplete = (part: string): unknown =>
  expect.objectContaining({ code: "HW_STORE_INCOMPLETE", data: expect.objectContaining({ part }), retryable: false });
const keyOf = (dir: string): string => readFileSync(join(dir, "key"), "utf8").trim();

test("a missing key is not replaced by another one", async () => {
  const before = keyOf(stateDir);
  rmSync(join(stateDir, "key"));
  await expect(open()).rejects.toEqual(incomplete("key"));
  expect(readdirSync(stateDir)).not.toContain("key");
  writeFileSync(join(stateDir, "key"), before, { mode: 0o600 });
  await open();
});

test.each([
  ["missing", () => remove("store.db")],
  ["emptied", () => (remove("store.db"), writeFileSync(join(stateDir, "store.db"), "", { mode: 0o600 }))],
])(
  "a %s store beside key and events is no new installation, for no role, however often it is tried",
  async (_, lose) => {
    lose();
    for (const role of [undefined, "submit", undefined] as const)
      await expect(open(role === undefined ? {} : { role })).rejects.toEqual(incomplete("store.db"));
    remove("events.db");
    await expect(open()).rejects.toEqual(incomplete("store.db"));
  },
);

test("a missing store beside events alone is found where the key lies elsewhere", async () => {
  remove("store.db");
  const key = { key: secret(keyOf(stateDir)) };
  rmSync(join(stateDir, "key"));
  await expect(open({ key })).rejects.toEqual(incomplete("store.db"));
});

test("an emptied folder, or a key that is given by its option, begins a new installation", async () => {
  const file = join(base, "elsewhere");
  writeFileSync(file, keyOf(stateDir), { mode: 0o600 });
  remove("store.db", "events.db", "key");
  await open({ key: { file } });
  await open({ role: "submit" });
});

test("a key that is not there is refused before a new state is made", async () => {
  remove("store.db", "events.db", "key");
  const before = readdirSync(stateDir);
  for (const key of [{ file: join(stateDir, "mistyped") }, { env: "HOSTWRIGHT_TEST_UNSET_KEY" }])
    await expect(open({ key })).rejects.toMatchObject({ code: "HW_INPUT_INVALID" });
  expect(readdirSync(stateDir)).toEqual(before);
});

test("a wrong key is refused at once, in whatever way it is given, and changes nothing", async () => {
  const other = join(base, "other");
  await used(other);
  const file = join(base, "wrong");
  writeFileSync(file, keyOf(other), { mode: 0o600 });
  process.env["HOSTWRIGHT_TEST_WRONG_KEY"] = keyOf(other);
  const ways = [{ file }, { env: "HOSTWRIGHT_TEST_WRONG_KEY" }, { key: secret(keyOf(other)) }];
  for (const key of ways) await expect(open({ key })).rejects.toMatchObject({ code: "HW_KEY_WRONG" });
  cpSync(join(other, "key"), join(stateDir, "key"));
  await expect(open()).rejects.toMatchObject({ code: "HW_KEY_WRONG" });
  await open({ role: "submit" });
});

test("of two that open a new store at once with keys of their own, the second is refused", async () => {
  const fresh = join(base, "fresh");
  const kernel = await openSqliteKernel({ directory: fresh });
  const store = stateStore(kernel);
  onTestFinished(async () => store.close());
  const box = (fill: number): SecretBox => new SecretBox(loadKeyring({ stateDir: fresh, key: Buffer.alloc(32, fill) }));
  let isFirst = true;
  // It has looked before the other one said which key it is.
  const late = async (): Promise<string | null> => {
    if (!isFirst) return store.keyCheck.get();
    isFirst = false;
    await requireOwnKey(store, box(1));
    return null;
  };
  const second = { ...store, keyCheck: { ...store.keyCheck, get: late } };
  await expect(requireOwnKey(second, box(2))).rejects.toMatchObject({ code: "HW_KEY_WRONG" });
  await requireOwnKey(store, box(1));
});

test("keys change by a ring that has both, and the old one may go after that", async () => {
  const [old, fresh] = [keyOf(stateDir), Buffer.alloc(32, 7).toString("base64")];
  await expect(open({ key: { key: secret(fresh) } })).rejects.toMatchObject({ code: "HW_KEY_WRONG" });
  await open({ key: { key: secret(`${fresh}\n${old}`) } });
  await open({ key: { key: secret(fresh) } });
});

test("a store of before the check knows its key by what it has sealed", async () => {
  const forget = (): void => {
    const db = new DatabaseSync(join(stateDir, "store.db"));
    db.exec("DELETE FROM meta WHERE name = 'key-check'");
    db.close();
  };
  forget();
  const wrong = { key: { key: secret(Buffer.alloc(32, 7).toString("base64")) } };
  await expect(open(wrong)).rejects.toMatchObject({ code: "HW_KEY_WRONG" });
  await open();
  await expect(open(wrong)).rejects.toMatchObject({ code: "HW_KEY_WRONG" });
  forget();
  rmSync(join(stateDir, "key"));
  await expect(open()).rejects.toEqual(incomplete("key"));
});

test("events of another installation are refused, and lost ones are begun anew", async () => {
  const other = join(base, "other");
  await used(other);
  remove("events.db");
  cpSync(join(other, "events.db"), join(stateDir, "events.db"));
  await expect(open()).rejects.toEqual(incomplete("events.db"));
  remove("events.db");
  await open();
});

test("several that open a new folder at once make one installation", async () => {
  const fresh = join(base, "fresh");
  const all = await Promise.all(Array.from({ length: 5 }, async () => openState({ stateDir: fresh })));
  const names = await Promise.all(all.map(async ({ store }) => (await store.identity()).installation));
  expect(new Set(names).size).toBe(1);
  await Promise.all(all.map(async ({ store }) => store.close()));
});

test.each([0, 999, 1_000.5, Number.NaN, Infinity, 86_400_001])("a lease of %d ms is refused", async (leaseMs) => {
  await expect(open({ leaseMs })).rejects.toMatchObject({ code: "HW_INPUT_INVALID" });
});
