import {
  HostwrightError,
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
import { createConnection, type Connection, type QueryError, type RowDataPacket } from "mysql2";
import { explain } from "./errors.ts";
import { FLAVOURS, type Dialect, type Flavour } from "./flavour.ts";
import { MysqlOptions } from "./options.ts";
import { literal } from "./quote.ts";

const CONNECT_MS = 15_000;
/** A statement that waits longer is stuck: MariaDB on a full disk waits for ever. */
const STATEMENT_MS = 120_000;
const GOODBYE_MS = 1_000;
const NO_SUCH_SESSION = 1094;

// What quoting relies on, and waits that end: MySQL's own time for a metadata lock is a year.
const SETTINGS = sql`SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', lock_wait_timeout = 60`;
const WHO = sql`SHOW VARIABLES WHERE Variable_name IN ('version', 'skip_name_resolve', 'datadir', 'partial_revokes')`;

const optionsOf = (target: Target): MysqlOptions => MysqlOptions.parse(target.serviceOptions("mysql") ?? {});

/** A login of root's. */
export class Session implements DatabaseSession {
  readonly #connection: Connection;
  #alive = true;
  /** Packets sent to the server, a round trip each. */
  queries = 0;
  dialect: Dialect;
  folder = "";

  private constructor(connection: Connection, flavour: Flavour) {
    this.#connection = connection;
    this.dialect = { flavour, resolvesNames: true };
    const gone = (): void => void (this.#alive = false);
    connection.on("error", gone);
    connection.on("end", gone);
  }

  static async login(target: Target, stream: Duplex): Promise<Session> {
    // A server that was killed ends its side only, and mysql2 would wait for the rest of an answer until its time-out.
    stream.once("end", () => stream.destroy());
    const connection = createConnection({
      stream,
      user: "root",
      charset: "utf8mb4_general_ci",
      connectTimeout: CONNECT_MS,
      // Many statements travel as one packet. Each is made by core's `sql` alone: nothing else has the type.
      multipleStatements: true,
      flags: ["-LOCAL_FILES"],
      supportBigNumbers: true,
      dateStrings: true,
    });
    const session = new Session(connection, optionsOf(target).flavour);
    await connection.promise().connect();
    await session.query(SETTINGS);
    await session.#check(target.server.name);
    return session;
  }

  get alive(): boolean {
    return this.#alive;
  }

  async query(statement: Sql): Promise<readonly Readonly<Record<string, unknown>>[]> {
    this.queries += 1;
    const asked = this.#connection.promise().query<RowDataPacket[]>({ sql: statement, timeout: STATEMENT_MS });
    const [rows] = await asked.catch((error: unknown) => {
      this.#dropIfStuck(error);
      throw error;
    });
    return rows;
  }

  /** Rows that have a `next` are statements to run after it all: one that MySQL builds from what it finds. */
  async run(statements: readonly Sql[]): Promise<void> {
    this.queries += 1;
    let done = 0;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // A query that is listened to is not told that its connection is lost: only the connection is.
    const lost = (error?: unknown): void => reject(new StatementFailed(done, error));
    this.#connection.once("error", lost).once("end", lost);
    const query = this.#connection.query({ sql: joinSql(statements, ";\n"), timeout: STATEMENT_MS });
    const next: Sql[] = [];
    query.on("fields", () => (done += 1));
    query.on("result", (row: { readonly next?: Sql }) => {
      if (row.next !== undefined) next.push(row.next);
    });
    query.on("end", () => resolve());
    query.on("error", (error: QueryError) => {
      this.#dropIfStuck(error);
      reject(new StatementFailed(done, error));
    });
    await promise.finally(() => this.#connection.off("error", lost).off("end", lost));
    for (const statement of next) {
      await this.query(statement).catch((error: { readonly errno?: number }) => {
        // It may have ended by itself meanwhile.
        if (error.errno !== NO_SUCH_SESSION) throw new StatementFailed(statements.length - 1, error);
      });
    }
  }

  async close(): Promise<void> {
    const goodbye = this.#alive ? this.#connection.promise().end() : undefined;
    await Promise.race([goodbye, delay(GOODBYE_MS, undefined, { ref: false })]).catch(() => undefined);
    this.#connection.destroy();
  }

  /** An answer that comes after its time-out would be taken for the next statement's. */
  #dropIfStuck(error: unknown): void {
    if ((error as { code?: unknown }).code !== "PROTOCOL_SEQUENCE_TIMEOUT") return;
    this.#alive = false;
    this.#connection.destroy();
  }

  async #check(server: string): Promise<void> {
    const refused = (message: string, remedy: string): HostwrightError =>
      new HostwrightError("HW_PREREQUISITE_MISSING", `${message}. Nothing was changed.`, { server, remedy });
    const rows = await this.query(WHO);
    const variables = new Map(rows.map((row) => [row["Variable_name"], String(row["Value"])]));
    const flavour: Flavour = variables.get("version")?.includes("MariaDB") ? "mariadb" : "mysql";
    const declared = this.dialect.flavour;
    if (flavour !== declared) {
      throw refused(
        `${server} runs ${FLAVOURS[flavour].title}, its service is declared as ${FLAVOURS[declared].title}`,
        `Declare it with mysql.service({ flavour: "${flavour}" }).`,
      );
    }
    // MySQL's alone.
    if (variables.get("partial_revokes") === "ON") {
      throw refused(
        `MySQL on ${server} has partial_revokes on: names in grants would be taken with their escapes`,
        "SET PERSIST partial_revokes = OFF.",
      );
    }
    this.dialect = { flavour, resolvesNames: variables.get("skip_name_resolve") !== "ON" };
    this.folder = variables.get("datadir") ?? "";
  }
}

/** MariaDB and MySQL over their own socket, as root. */
export const driver: DatabaseDriver<Session> = {
  type: "mysql",
  remedy: "Start it (systemctl status mariadb, or mysql, tells why it stopped), or correct the service's socket path.",
  socket: (target) => ({ path: optionsOf(target).socket, user: "root" }),
  login: Session.login,
  explain,
  lock(scope) {
    const own = literal(`hostwright ${scope}`);
    const earlier = sql`IF(IS_USED_LOCK('hostwright') = IS_USED_LOCK(${own}), IS_USED_LOCK(${own}), 0)`;
    return {
      take: sql`SELECT IF(GET_LOCK('hostwright', 0) = 1, 1 + 0 * IFNULL(GET_LOCK(${own}, 0), 0), 0) AS got`,
      endEarlier: sql`KILL CONNECTION ${earlier}`,
      release: sql`SELECT RELEASE_ALL_LOCKS()`,
    };
  },
  // Small enough that a cancelled task ends within a second, big enough that round trips don't count.
  batch: 200,
  // A database's defaults are a file that the server does not sync (decisions.md D10).
  unsynced: ({ folder }) => folder,
};
