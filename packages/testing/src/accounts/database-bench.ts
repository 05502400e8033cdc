import type { DatabaseBinding, DatabaseMoving } from "@hostwright/core/plugin";
import { AccountBench, type AccountSubject, type Statements } from "./account-bench.ts";
import type { HostSet } from "../hosts/host.ts";
import { serviceOf } from "../subject.ts";

/** A database service; `snapshot` holds its databases with their owners, and no contents. */
export type DatabaseSubject = AccountSubject<DatabaseBinding>;

/** A database service on one host and a web head on another. */
export class DatabaseBench extends AccountBench<DatabaseBinding> {
  readonly statements: Statements = {
    keep: (_id, text) => `CREATE TABLE t (x VARCHAR(40)); INSERT INTO t VALUES ('${text}')`,
    ask: () => "SELECT x FROM t",
  };
  readonly moving: DatabaseMoving | undefined;

  /** @param set its hosts, as a harness gives them; nothing is brought onto them yet. */
  constructor(subject: DatabaseSubject, set: HostSet, made = 0) {
    const definition = serviceOf(subject.plugin, "db");
    super(subject, set, made, definition, definition.role);
    this.moving = definition.role.moving;
  }

  static async open(subject: DatabaseSubject): Promise<DatabaseBench> {
    const bench = new DatabaseBench(subject, await subject.harness.reset(["db", "web"]));
    await bench.prepare();
    return bench;
  }

  /** The same bench with another plugin: one that was broken on purpose. */
  with(plugin: DatabaseSubject["plugin"], from: number): DatabaseBench {
    return new DatabaseBench({ ...this.subject, plugin }, this.set, from);
  }
}
