import { existsSync } from "node:fs";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** How each version of control groups says it. */
const VERSIONS = {
  v2: { mark: "cgroup.controllers", control: "cgroup.freeze", on: "1", off: "0", look: "cgroup.events" },
  v1: { mark: "release_agent", control: "freezer.state", on: "FROZEN", off: "THAWED", look: "freezer.state" },
} as const;
const ROOTS = {
  v2: ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"],
  v1: ["/sys/fs/cgroup/freezer"],
} as const;
const SEEN = { v2: /^frozen 1$/m, v1: /^FROZEN$/m } as const;

export type CgroupVersion = keyof typeof VERSIONS;

let made = 0;

/** A control group of this machine, whose processes all stand still at once, and know nothing of it. */
export class Freezer implements AsyncDisposable {
  readonly #version: CgroupVersion;
  readonly #folder: string;

  private constructor(version: CgroupVersion, folder: string) {
    this.#version = version;
    this.#folder = folder;
  }

  /** Null where this machine has none of that version that we may use. */
  static async make(version: CgroupVersion): Promise<Freezer | null> {
    const root = ROOTS[version].find((path) => existsSync(join(path, VERSIONS[version].mark)));
    if (root === undefined) return null;
    const folder = join(root, `hostwright-test-${process.pid}-${++made}`);
    try {
      await mkdir(folder);
    } catch {
      return null;
    }
    return new Freezer(version, folder);
  }

  async add(pid: number): Promise<void> {
    await this.#write("cgroup.procs", String(pid));
  }

  /** When this returns none of them runs any more. */
  async freeze(): Promise<void> {
    const { control, on, look } = VERSIONS[this.#version];
    await this.#write(control, on);
    while (!SEEN[this.#version].test(await readFile(join(this.#folder, look), "utf8"))) await delay(1);
  }

  async thaw(): Promise<void> {
    const { control, off } = VERSIONS[this.#version];
    await this.#write(control, off);
  }

  /** Its processes must have ended, or be about to. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.thaw();
    while ((await readFile(join(this.#folder, "cgroup.procs"), "utf8")) !== "") await delay(10);
    await rmdir(this.#folder);
  }

  async #write(file: string, text: string): Promise<void> {
    await writeFile(join(this.#folder, file), text);
  }
}
