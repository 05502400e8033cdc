import { expect, it } from "vitest";
import type { Tables } from "../../contracts/store/tables.ts";
import type { ErrorCode } from "../../errors/codes.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { heldTables } from "./held-tables.ts";

const LEASED = { list: async () => [{}] } as never;
const tables = (transact: Tables["transact"]): Tables => ({
  read: async (work) => work(LEASED),
  changed: async () => "",
  transact,
});
const failing = (code: ErrorCode): Tables =>
  tables(async () => Promise.reject(new HostwrightError(code, "store.db: no.")));

it.each([
  "HW_STORE_BUSY",
  "HW_DISK_FULL",
  "HW_STORE_FAILED",
  "HW_PERMISSION_DENIED",
  "HW_STORE_INCOMPATIBLE",
  "HW_STORE_DAMAGED",
] as const)("lets go of the task for a local %s, which undoes nothing", async (code) => {
  const { transact } = heldTables(failing(code), "t1", "me", 9);
  await expect(transact(async () => 1)).rejects.toMatchObject({
    code: "HW_LEASE_LOST",
    cause: { code },
    data: { task: "t1" },
  });
});

it("lets every refusal of the work itself pass", async () => {
  const { transact } = heldTables(failing("HW_RESOURCE_CONFLICT"), "t1", "me", 9);
  await expect(transact(async () => 1)).rejects.toMatchObject({ code: "HW_RESOURCE_CONFLICT" });
});

it("waits as long as a worker may", async () => {
  const waits: (number | undefined)[] = [];
  const held = heldTables(
    tables(async (work, waitMs) => (waits.push(waitMs), work(LEASED))),
    "t1",
    "me",
    9,
  );
  expect(await held.transact(async () => 7)).toBe(7);
  expect(waits).toEqual([9]);
});
