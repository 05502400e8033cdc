import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostwright, local, PART, provide, verify, type Hostwright } from "@hostwright/core";
import type { AnyResourceType } from "../../packages/core/src/contracts/resource.ts";
import { Registry } from "../../packages/core/src/engine/plugins/registry.ts";
import { coreTasks } from "../../packages/core/src/tasks/core-tasks.ts";
import { FakeServer, FakeWorld, type FakeState } from "../../packages/core/test/fake-world.ts";

const FOLDER = "directory /etc/hostwright";

/** A whole instance with its real store over servers in memory, each of which has one folder that a verify sets right. */
export class FakeInstance implements AsyncDisposable {
  readonly hw: Hostwright;
  readonly world: FakeWorld;
  readonly stateDir: string;
  readonly #failing = new Set<string>();

  private constructor(hw: Hostwright, world: FakeWorld, stateDir: string) {
    this.hw = hw;
    this.world = world;
    this.stateDir = stateDir;
    world.onEffect = (server) => {
      if (this.#failing.has(server)) throw new Error("the disk is full");
    };
  }

  static async open(servers: readonly string[]): Promise<FakeInstance> {
    const stateDir = await mkdtemp(join(tmpdir(), "hostwright-instance-"));
    const world = new FakeWorld();
    const hw = await createHostwright({
      stateDir,
      plugins: [],
      provide: [
        provide(
          PART.openServer,
          () =>
            async ({ name }) =>
              new FakeServer(name),
        ),
        provide(PART.registry, () => new Registry([], [directoryOf(world)], [], coreTasks)),
      ],
    });
    for (const name of servers) await hw.servers.put({ name, connect: local(), services: [] });
    return new FakeInstance(hw, world, stateDir);
  }

  /** Works one task, with one change, on a server whose folder somebody removed; or one that fails and is undone. */
  async task(server: string, options: { readonly fails: boolean; readonly signal?: AbortSignal }): Promise<void> {
    this.world.states(server).delete(FOLDER);
    if (options.fails) this.#failing.add(server);
    const signal = options.signal === undefined ? {} : { signal: options.signal };
    const ended = await this.hw.run(verify(`@${server}`), signal).then(
      () => "succeeded",
      (error: Error) => error.message,
    );
    this.#failing.delete(server);
    // The world's own record of them, which would look like a leak.
    this.world.effects.splice(0);
    if ((ended !== "succeeded") !== options.fails) throw new Error(`the task on ${server} ended so: ${ended}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hw[Symbol.asyncDispose]();
    await rm(this.stateDir, { recursive: true, force: true });
  }
}

/** The core's folder type, over the world. */
function directoryOf(world: FakeWorld): AnyResourceType {
  const desired = ({ mode }: { mode: number }): FakeState => ({ value: mode.toString(8) });
  const key = ({ path }: { path: string }): string => path;
  return { ...world.type("directory"), key, desired, showSpec: () => "a folder" } as AnyResourceType;
}
