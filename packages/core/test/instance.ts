import { openSqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import { runStep } from "./fake-engine.ts";
import { FakeWorker, NEVER, working } from "./fake-worker.ts";

/** Who has a task at the moment when it is worked. */
export interface Run {
  readonly task: string;
  readonly holder: string | undefined;
  readonly token: number | undefined;
}

export interface InstanceOptions {
  readonly directory: string;
  readonly tasks: readonly string[];
  /** Called for each task as it is worked, which ends when `opened` does. */
  tell(run: Run): void;
  readonly opened: Promise<unknown>;
}

export interface Instance {
  readonly fake: FakeWorker;
  /** Goes on with what seems to have nobody who works it. */
  look(): Promise<void>;
  close(): Promise<void>;
}

/** A store, a worker and a queue of this copy of the module, on a state folder that others have too. */
export async function openInstance({ directory, tasks, tell, opened }: InstanceOptions): Promise<Instance> {
  const store = await openSqliteStore({ directory });
  const fake = await FakeWorker.open(store);
  for (const task of tasks) {
    const run = async (): Promise<void> => {
      const lease = (await store.leases.list()).find((one) => one.task === task);
      tell({ task, holder: lease?.holder, token: lease?.token });
      await opened;
    };
    fake.engine.operation(task, { run, probe: async () => "absent" });
    fake.drafts.set(task, { about: [`site/${task}`], steps: [runStep("web1", task)] });
  }
  const queue = working(fake.worker, 1);
  return {
    fake,
    look: async () => fake.worker.lookForDead(NEVER),
    close: async () => {
      await queue[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}
