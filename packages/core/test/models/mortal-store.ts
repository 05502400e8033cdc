import type { StateStore, TaskWrites } from "../../src/contracts/store.ts";
import { HostwrightError } from "../../src/errors/hostwright-error.ts";
import type { Chaos, Life } from "./chaos.ts";

/** The methods that write, by part: all others only read. */
const WRITES: { readonly [Part in keyof TaskWrites]: readonly (keyof TaskWrites[Part] & string)[] } = {
  records: ["put", "forget", "nextNumber", "discard"],
  register: ["put", "remove"],
  tasks: ["submit", "move", "end", "remove"],
  journal: ["write", "commit"],
  secrets: ["add", "replace", "removePrefix"],
  plans: ["put", "remove"],
};
const LEASE_WRITES = ["acquire", "release"];

type Method = (...args: readonly unknown[]) => Promise<unknown>;
type Wrap = (call: Method, what: string) => Method;

/** The store as one worker reaches it: it may die at any write, and reaches it no more after that. */
export function mortalStore(store: StateStore, chaos: Chaos, life: Life): StateStore {
  const read: Wrap =
    (call) =>
    async (...args) => {
      life.require();
      const answer = await call(...args);
      life.require();
      return answer;
    };

  /** `late`: what a worker had sent before it was stopped for long may still be written, or refused. */
  const write =
    (late: boolean): Wrap =>
    (call, what) =>
    async (...args) => {
      life.require();
      const trouble = chaos.next("store", `${life.holder} ${what}`);
      if (trouble?.kind === "busy") {
        if (trouble.took) await call(...args);
        throw new HostwrightError("HW_STORE_BUSY", "held too long", { retryable: true });
      }
      if (trouble?.kind !== "die") return call(...args);
      if (trouble.when === "after" || trouble.when === "half") await call(...args);
      if (trouble.when === "transit" && late)
        chaos.later(trouble.late, () => void call(...args).catch(() => undefined));
      return life.die();
    };

  const taskWrites = (parts: TaskWrites, late: boolean): TaskWrites => {
    const { records, register, tasks, journal, secrets, plans } = parts;
    const wrapped = Object.entries({ records, register, tasks, journal, secrets, plans }).map(([name, methods]) => [
      name,
      wrapAll(name, methods as never, WRITES[name as keyof TaskWrites], read, write(late)),
    ]);
    return Object.fromEntries(wrapped) as TaskWrites;
  };

  // Told without being waited for: what a dead worker tells is lost, and no warning.
  const append: StateStore["events"]["append"] = async (list) => (life.dead ? [] : store.events.append(list));
  return {
    ...store,
    ...taskWrites(store, false),
    held: (task, holder) => taskWrites(store.held(task, holder), true),
    bookmarks: wrapAll("bookmarks", store.bookmarks as never, [], read, read),
    leases: wrapAll("leases", store.leases as never, LEASE_WRITES, read, write(false)),
    events: { ...store.events, append },
  };
}

function wrapAll(
  name: string,
  methods: Readonly<Record<string, unknown>>,
  writes: readonly string[],
  read: Wrap,
  write: Wrap,
): never {
  return Object.fromEntries(
    Object.entries(methods).map(([method, call]) => {
      if (typeof call !== "function") return [method, call];
      const wrap = writes.includes(method) ? write : read;
      return [method, wrap(call as Method, `${name}.${method}`)];
    }),
  ) as never;
}
