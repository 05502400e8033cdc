import type { StateStore } from "../../src/contracts/store.ts";
import { HostwrightError } from "../../src/errors/hostwright-error.ts";
import type { Chaos, Life } from "./chaos.ts";

const WRITES: Readonly<Record<string, readonly string[]>> = {
  records: ["put", "delete", "nextNumber"],
  register: ["put", "remove"],
  tasks: ["submit", "move"],
  journal: ["write", "commit", "eraseUndo"],
  secrets: ["add", "replace", "removePrefix"],
  leases: ["acquire", "release"],
};

/** What a worker that was stopped in the middle of it must not spoil when it wakes up. */
const FENCED: ReadonlySet<string> = new Set(["journal.write", "journal.commit", "tasks.move"]);

type Method = (...args: readonly unknown[]) => Promise<unknown>;

/** The store as one worker reaches it: it may die at any write, and reaches it no more after that. */
export function mortalStore(store: StateStore, chaos: Chaos, life: Life): StateStore {
  const part = (name: string, methods: Readonly<Record<string, Method>>): Record<string, Method> =>
    Object.fromEntries(
      Object.entries(methods).map(([method, call]) => {
        const isWrite = WRITES[name]?.includes(method) === true;
        return [
          method,
          isWrite ? async (...args) => write(call, args, `${name}.${method}`) : async (...args) => read(call, args),
        ];
      }),
    );

  async function read(call: Method, args: readonly unknown[]): Promise<unknown> {
    life.require();
    const answer = await call(...args);
    life.require();
    return answer;
  }

  async function write(call: Method, args: readonly unknown[], what: string): Promise<unknown> {
    life.require();
    const trouble = chaos.next("store", `${life.holder} ${what}`);
    if (trouble?.kind === "busy") {
      if (trouble.took) await call(...args);
      throw new HostwrightError("HW_STORE_BUSY", "held too long", { retryable: true });
    }
    if (trouble?.kind !== "die") return call(...args);
    if (trouble.when === "after" || trouble.when === "half") await call(...args);
    if (trouble.when === "transit" && FENCED.has(what))
      chaos.later(trouble.late, () => void call(...args).catch(() => undefined));
    return life.die();
  }

  const { records, register, tasks, journal, events, secrets, plans, bookmarks, leases } = store;
  const parts = Object.entries({ records, register, tasks, journal, secrets, plans, bookmarks, leases });
  const mortal = Object.fromEntries(parts.map(([name, methods]) => [name, part(name, methods as never)]));
  // Told without being waited for: what a dead worker tells is lost, and no warning.
  const append: StateStore["events"]["append"] = async (list) => (life.dead ? [] : events.append(list));
  return { ...store, ...(mortal as unknown as StateStore), events: { ...events, append } };
}
