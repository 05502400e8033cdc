import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import type { SecretStore } from "../contracts/store.ts";
import { loadKeyring } from "./keyring.ts";
import { SecretBox } from "./sealing.ts";
import { generatePassword, SecretVault } from "./secrets.ts";
import { openSqliteStore } from "./sqlite/sqlite-store.ts";

const box = new SecretBox(loadKeyring({ key: randomBytes(32) }));
const reference = (id: string) => ({ ref: "secret", id, label: id }) as const;

async function open(): Promise<{ vault: SecretVault; store: SecretStore; directory: string }> {
  const directory = mkdtempSync(join(tmpdir(), "hostwright-vault-"));
  const { secrets, close } = await openSqliteStore({ directory });
  onTestFinished(async () => {
    await close();
    rmSync(directory, { recursive: true });
  });
  return { vault: new SecretVault(secrets, box), store: secrets, directory };
}

it("makes a secret once, and resolves many by one read of the store", async () => {
  const { vault, store } = await open();
  const needed = { id: "site/a/db", generate: "password" } as const;
  const made = (await vault.ensure([needed, needed])).get("site/a/db");
  expect(made).toMatch(/^[A-Za-z0-9]{32}$/);
  expect(await vault.ensure([needed])).toEqual(new Map([["site/a/db", made]]));
  await vault.put("site/a/salt", "pepper");
  const get = vi.spyOn(store, "get");
  const resolve = await vault.resolver(["site/a/db", "site/a/salt", "site/a/db"]);
  expect(resolve(reference("site/a/salt"))).toBe("pepper");
  expect(resolve(reference("site/a/db"))).toBe(made);
  expect(get).toHaveBeenCalledTimes(1);
});

it("lets the first of two that make a secret at once win for both", async () => {
  const { vault } = await open();
  const needed = [{ id: "site/a/db", generate: "password" }] as const;
  const [one, two] = await Promise.all([vault.ensure(needed), vault.ensure(needed)]);
  expect(one).toEqual(two);
  expect(await vault.ensure(needed)).toEqual(one);
});

it("reads many that are there at once, and makes none that somebody has to give", async () => {
  const { vault, store } = await open();
  const needed = Array.from({ length: 50 }, (_, n) => ({ id: `site/a/${n}`, generate: "password" }) as const);
  await vault.ensure(needed);
  const [get, add] = [vi.spyOn(store, "get"), vi.spyOn(store, "add")];
  expect((await vault.ensure(needed)).size).toBe(50);
  expect([get.mock.calls.length, add.mock.calls.length]).toEqual([1, 0]);
  const lacking = vault.ensure([...needed, { id: "site/a/web-password/ann" }]);
  await expect(lacking).rejects.toMatchObject({
    code: "HW_SECRET_UNREADABLE",
    data: { id: "site/a/web-password/ann" },
  });
  expect(add).not.toHaveBeenCalled();
});

it("names the secret that is missing, was not asked for, or was put in another's place", async () => {
  const { vault, store } = await open();
  const unreadable = { code: "HW_SECRET_UNREADABLE", data: { id: "site/b/db" } };
  await vault.put("site/a/db", "x");
  await expect(vault.resolver(["site/a/db", "site/b/db"])).rejects.toMatchObject(unreadable);
  const resolve = await vault.resolver(["site/a/db"]);
  expect(() => resolve(reference("site/b/db"))).toThrow(expect.objectContaining(unreadable));
  await store.replace("site/b/db", (await store.get(["site/a/db"])).get("site/a/db") ?? "");
  await expect(vault.resolver(["site/b/db"])).rejects.toMatchObject(unreadable);
});

it("removes what is below a prefix, and refuses one that could take more along", async () => {
  const { vault, store } = await open();
  for (const id of ["site/a/db", "site/a/salt", "site/ab/db"]) await vault.put(id, "x");
  for (const prefix of ["", "/", "site/a", "//"])
    await expect(vault.removePrefix(prefix)).rejects.toMatchObject({ code: "HW_INTERNAL" });
  await vault.removePrefix("site/a/");
  expect([...(await store.get(["site/a/db", "site/a/salt", "site/ab/db"])).keys()]).toEqual(["site/ab/db"]);
});

it("leaves no clear text in the store's files", async () => {
  const { vault, directory } = await open();
  await vault.put("site/a/db", "correct-horse-battery-staple");
  const files = ["store.db", "store.db-wal", "events.db", "events.db-wal"].map((file) =>
    readFileSync(join(directory, file), "latin1"),
  );
  expect(files.join("")).toContain("site/a/db");
  expect(files.join("")).not.toContain("correct-horse");
});

it("generates passwords of letters and digits, all of them in use, none twice", () => {
  const many = Array.from({ length: 500 }, () => generatePassword());
  expect(new Set(many).size).toBe(500);
  expect(new Set(many.join("")).size).toBe(62);
  expect(many.every((password) => /^[A-Za-z0-9]{32}$/.test(password))).toBe(true);
  expect(generatePassword(12)).toHaveLength(12);
});
