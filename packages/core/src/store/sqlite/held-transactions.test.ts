import { expect, it } from "vitest";
import type { ErrorCode } from "../../errors/codes.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { heldTransactions } from "./held-transactions.ts";
import type { Transactions } from "./transactions.ts";

const db = (write: Transactions["write"]): Transactions => ({
  all: () => [],
  get: () => ({}) as never,
  run: () => ({ changes: 0, row: 0 }),
  read: async (work) => work(),
  write,
});
const failing = (code: ErrorCode): Transactions =>
  db(async () => Promise.reject(new HostwrightError(code, "store.db: no.")));

it.each([
  "HW_STORE_BUSY",
  "HW_DISK_FULL",
  "HW_STORE_FAILED",
  "HW_PERMISSION_DENIED",
  "HW_STORE_INCOMPATIBLE",
  "HW_STORE_DAMAGED",
] as const)("lets go of the task for a local %s, which undoes nothing", async (code) => {
  const { write } = heldTransactions(failing(code), "t1", "me", 9);
  await expect(write(() => 1)).rejects.toMatchObject({
    code: "HW_LEASE_LOST",
    cause: { code },
    data: { task: "t1" },
  });
});

it("lets every refusal of the work itself pass", async () => {
  const { write } = heldTransactions(failing("HW_RESOURCE_CONFLICT"), "t1", "me", 9);
  await expect(write(() => 1)).rejects.toMatchObject({ code: "HW_RESOURCE_CONFLICT" });
});

it("waits as long as a worker may", async () => {
  const waits: (number | undefined)[] = [];
  const { write } = heldTransactions(
    db(async (work, waitMs) => (waits.push(waitMs), work())),
    "t1",
    "me",
    9,
  );
  expect(await write(() => 7)).toBe(7);
  expect(waits).toEqual([9]);
});
