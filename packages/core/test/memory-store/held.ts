import type { TaskWrites } from "../../src/contracts/store.ts";
import { HostwrightError } from "../../src/errors/hostwright-error.ts";
import type { Tables } from "./tables.ts";

/** The methods that write, by part: all others only read. */
export const WRITES: { readonly [Part in keyof TaskWrites]: readonly (keyof TaskWrites[Part] & string)[] } = {
  records: ["put", "forget", "nextNumber", "discard"],
  register: ["put", "remove"],
  tasks: ["submit", "move", "end", "remove"],
  journal: ["write", "commit"],
  secrets: ["add", "replace", "removePrefix"],
  plans: ["put", "remove"],
};

type Method = (...args: readonly unknown[]) => Promise<unknown>;

export function heldWrites(tables: Tables, parts: TaskWrites, task: string, holder: string): TaskWrites {
  const held = Object.entries(WRITES).map(([part, names]) => {
    const methods = parts[part as keyof TaskWrites] as unknown as Record<string, Method>;
    const guarded = names.map((name): [string, Method] => [
      name,
      async (...args) => {
        requireLease(tables, task, holder);
        return methods[name]?.(...args);
      },
    ]);
    return [part, { ...methods, ...Object.fromEntries(guarded) }];
  });
  return Object.fromEntries(held) as TaskWrites;
}

export function requireLease(tables: Tables, task: string, holder: string): void {
  for (const lease of tables.leases.values()) if (lease.task === task && lease.holder === holder) return;
  throw new HostwrightError("HW_LEASE_LOST", `${holder} holds no lease of task ${task} any more.`);
}
