import type { CacheBinding } from "@hostwright/core/plugin";
import { AccountBench, type AccountSubject, type Statements } from "./account-bench.ts";
import type { HostSet } from "../hosts/host.ts";
import { serviceOf } from "../subject.ts";

/** A cache service; `snapshot` holds the names of all that sites keep there. */
export interface CacheSubject extends AccountSubject<CacheBinding> {
  /** Statement that keeps a text under a key, which begins with its site's prefix. */
  put(key: string, text: string): string;
  /** Statement that asks for it; what was never kept is no error, and an empty text. */
  get(key: string): string;
}

/** A cache service on one host and a web head on another. */
export class CacheBench extends AccountBench<CacheBinding> {
  declare readonly subject: CacheSubject;
  readonly statements: Statements = {
    keep: (id, text) => this.subject.put(`${this.way(id).prefix}kept`, text),
    ask: (id) => this.subject.get(`${this.way(id).prefix}kept`),
  };

  /** @param set its hosts, as a harness gives them; nothing is brought onto them yet. */
  constructor(subject: CacheSubject, set: HostSet, made = 0) {
    const definition = serviceOf(subject.plugin, "cache");
    super(subject, set, made, definition, definition.role);
  }

  static async open(subject: CacheSubject): Promise<CacheBench> {
    const bench = new CacheBench(subject, await subject.harness.reset(["cache", "web"]));
    await bench.prepare();
    return bench;
  }

  /** The same bench with another plugin: one that was broken on purpose. */
  with(plugin: CacheSubject["plugin"], from: number): CacheBench {
    return new CacheBench({ ...this.subject, plugin }, this.set, from);
  }
}
