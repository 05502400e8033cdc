import {
  joinSql,
  sql,
  StatementFailed,
  type DatabaseDriver,
  type DatabaseSession,
  type Sql,
  type Target,
} from "@hostwright/core/plugin";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { explain } from "./errors.ts";
import { optionsAt, placesOf } from "./options.ts";

const CONNECT_MS = 15_000;
const STATEMENT_MS = 120_000;
const GOODBYE_MS = 1_000;
/** pg has no code for it. */
const STUCK = "Query read timeout";

// A failing statement would be logged with what it holds; a lock that is waited for ends.
const SETTINGS = sql`SET log_statement = 'none'; SET log_min_error_statement = 'panic'; SET lock_timeout = '60s'`;

/** A login of postgres's. */
export class Session implements DatabaseSession {
  readonly #client: Client;
  readonly #stream: Duplex;
  #alive = true;

  private constructor(client: Client, stream: Duplex) {
    this.#client = client;
    this.#stream = stream;
    const gone = (): void => void (this.#alive = false);
    client.on("error", gone);
    client.on("end", gone);
  }

  static async login(target: Target, stream: Duplex, database: string | null): Promise<Session> {
    const client = new Client({
      stream: () => asSocket(stream),
      user: "postgres",
      database: database ?? "postgres",
      application_name: `hostwright ${target.scope}`,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: STATEMENT_MS,
    });
    const session = new Session(client, stream);
    await client.connect();
    await client.query(SETTINGS);
    return session;
  }

  get alive(): boolean {
    return this.#alive;
  }

  async query(statement: Sql, values: readonly unknown[] = []): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const asked = this.#client.query<Record<string, unknown>>(statement, [...values]);
    const { rows } = await asked.catch((error: unknown) => this.#failed(error));
    return rows;
  }

  async run(statements: readonly Sql[]): Promise<void> {
    const asked = this.#client.query(joinSql(statements, ";\n"));
    await asked.catch((error: unknown) => this.#failed(new StatementFailed(0, error)));
  }

  async close(): Promise<void> {
    const goodbye = this.#alive ? this.#client.end() : undefined;
    await Promise.race([goodbye, delay(GOODBYE_MS, undefined, { ref: false })]).catch(() => undefined);
    this.#stream.destroy();
  }

  /** A server that did not answer in its time may do so later, for the next statement. */
  #failed(error: unknown): never {
    const { message } = (error instanceof StatementFailed ? error.cause : error) as Error;
    if (message === STUCK) {
      this.#alive = false;
      this.#stream.destroy();
    }
    throw error;
  }
}

/** PostgreSQL over its own socket, as postgres. */
export const driver: DatabaseDriver<Session> = {
  type: "postgres",
  remedy: "Start it (pg_lsclusters tells which there are), or correct the service's version, cluster and port.",
  socket: (target) => ({ path: placesOf(optionsAt(target)).socket, user: "postgres" }),
  login: Session.login,
  explain,
  lock: () => ({
    take: sql`SELECT pg_try_advisory_lock(hashtext('hostwright')) AS got`,
    // Sessions are named by the lease's scope: one of the same scope is an earlier holder's.
    endEarlier: sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid() AND pid IN (
        SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
          AND (classid::bigint << 32 | objid::bigint) = (hashtext('hostwright')::bigint)
      )`,
    release: sql`SELECT pg_advisory_unlock(hashtext('hostwright'))`,
  }),
  // Databases are made outside of transactions, and statements that travel together are one.
  batch: 1,
  unsynced: () => null,
};

/** pg asks a socket to connect, and sets what only TCP has. */
function asSocket(stream: Duplex): Duplex {
  const nothing = (): Duplex => stream;
  return Object.assign(stream, {
    connect: () => {
      process.nextTick(() => stream.emit("connect"));
      return stream;
    },
    setNoDelay: nothing,
    setKeepAlive: nothing,
    ref: nothing,
    unref: nothing,
  });
}
