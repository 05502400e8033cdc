import type { Target } from "@hostwright/core";
import { Client as PgClient } from "pg";
import type { Duplex } from "node:stream";
import { databaseError } from "./errors.ts";
import { placesOf, PostgresOptions } from "./options.ts";
import { sql, type Sql } from "./quote.ts";

const CONNECT_MS = 15_000;
const STATEMENT_MS = 120_000;

// A failing statement would be logged with what it holds; a lock that is waited for ends.
const SETTINGS = sql`SET log_statement = 'none'; SET log_min_error_statement = 'panic'; SET lock_timeout = '60s'`;

/** The database server of one target, over its unix socket as its own administrator: no open port, no password. */
export class Client {
  readonly #target: Target;
  readonly #options: PostgresOptions;
  #session: Promise<PgClient> | undefined;
  #alive = false;

  constructor(target: Target, options: PostgresOptions) {
    this.#target = target;
    this.#options = options;
  }

  /** The client of this target, opened on first use and closed with it. */
  static async of(target: Target): Promise<Client> {
    const options: PostgresOptions = PostgresOptions.parse(target.serviceOptions("postgres") ?? {});
    return target.connection(
      "postgres",
      async () => new Client(target, options),
      async (client) => client.close(),
    );
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Rows of one statement; `values` for its `$1`. @throws HW_DATABASE_UNREACHABLE, HW_DATABASE_FAILED */
  async query(
    statement: Sql,
    doing: string,
    values: readonly (readonly string[])[] = [],
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    try {
      const session = await this.#opened();
      return (await session.query<Record<string, unknown>>(statement, [...values])).rows;
    } catch (error) {
      throw databaseError(this.#target.server.name, error, doing);
    }
  }

  /** Statements without rows, sent as they are: several of them are one transaction. @throws what pg throws */
  async run(statement: Sql): Promise<void> {
    await (await this.#opened()).query(statement);
  }

  /** In another database of the server, such as one just made. */
  async runIn(database: string, statement: Sql): Promise<void> {
    const session = await this.#open(database);
    try {
      await session.query(statement);
    } finally {
      await session.end();
    }
  }

  async close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined);
    this.#session = undefined;
    await session?.end();
  }

  async #opened(): Promise<PgClient> {
    if (this.#session === undefined || !(await this.#session.then(() => this.#alive).catch(() => false))) {
      this.#session = this.#open("postgres").then((session) => {
        this.#alive = true;
        const gone = (): void => void (this.#alive = false);
        session.on("error", gone);
        session.on("end", gone);
        return session;
      });
    }
    return this.#session;
  }

  async #open(database: string): Promise<PgClient> {
    const { server } = this.#target;
    const { socket } = placesOf(this.#options);
    const stream = await server.forward({ path: socket, user: "postgres" });
    const session = new PgClient({
      stream: () => asSocket(stream),
      user: "postgres",
      database,
      application_name: `hostwright ${this.#target.scope}`,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: STATEMENT_MS,
    });
    session.on("error", () => {});
    try {
      await session.connect();
      await session.query(SETTINGS);
      return session;
    } catch (error) {
      stream.destroy();
      throw error;
    }
  }
}

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
