import { once } from "node:events";
import { registerHooks } from "node:module";
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import type * as Instances from "./instance.ts";

/** A thread with two copies of the module, an instance of each; it is told when to look, to go on and to close. */
const { directory, tasks } = workerData as Pick<Instances.InstanceOptions, "directory" | "tasks">;
const parent = parentPort as MessagePort;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
const say = (what: Instances.Run | "looked"): void => parent.postMessage(what);

// What a copy imports by a relative path is of the same copy.
registerHooks({
  resolve: (specifier, context, next) => {
    const found = next(specifier, context);
    const { search } = new URL(context.parentURL ?? "file:///");
    return specifier.startsWith(".") && search !== "" ? { ...found, url: `${found.url}${search}` } : found;
  },
});

const opened = Promise.withResolvers<void>();
const instances: Instances.Instance[] = [];
for (const copy of [1, 2]) {
  const { openInstance } = (await import(`./instance.ts?copy=${copy}`)) as typeof Instances;
  instances.push(await openInstance({ directory, tasks, tell: say, opened: opened.promise }));
}
await once(parent, "message");
for (const one of instances) await one.look();
say("looked");
await once(parent, "message");
opened.resolve();
await once(parent, "message");
for (const one of instances) await one.close();
parent.close();
