import { setTimeout as delay } from "node:timers/promises";
import { provide } from "../src/di/provider.ts";
import { createHostwright, type Hostwright } from "../src/hostwright.ts";
import { local, type ServerRecord } from "../src/model/records.ts";
import { PART } from "../src/parts.ts";
import { prepare } from "../src/tasks/prepare-server.ts";
import { FakeServer } from "./fake-world.ts";

/** A host application that does one thing with an instance, and leaves it to Node when it ends. */
const [stateDir = "", what = ""] = process.argv.slice(2);
const oops = (): never => {
  throw new Error("a mistake of the application");
};
const reject = async (): Promise<never> => oops();
const hw = await createHostwright({
  stateDir,
  plugins: [],
  policy: { allow: reject },
  notify: [{ name: "broken", retryMs: [], send: what === "callbacks" ? oops : reject }],
  provide: [
    provide(
      PART.openServer,
      () =>
        async ({ name }: ServerRecord) =>
          what === "callbacks" ? oops() : new FakeServer(name),
    ),
  ],
});
const things: Readonly<Record<string, (hw: Hostwright) => Promise<unknown>>> = {
  "left open": async () => {
    const task = await hw.submit(prepare("web1"));
    const following = hw.events({ after: "now" });
    await task.cancel();
    await following.next();
    return task.outcome();
  },
  "a worker left to closing": async () => {
    hw.work();
    await delay(300);
    await hw[Symbol.asyncDispose]();
  },
  callbacks: async () => {
    await using _working = hw.work();
    await hw.run(prepare("web1"), { onEvent: (): unknown => reject() }).catch(() => undefined);
    await hw.run(prepare("web1"), { onEvent: oops }).catch(() => undefined);
    await hw
      .as({ id: "ann" })
      .submit(prepare("web1"))
      .catch(() => undefined);
    for await (const { type } of hw.events()) if (type === "notification:failed") break;
    await hw[Symbol.asyncDispose]();
  },
};
await hw.servers.put({ name: "web1", connect: local() });
await things[what]?.(hw);
console.log("done");
