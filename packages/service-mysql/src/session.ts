import type { Duplex } from "node:stream";
import { createConnection, type Connection, type QueryError, type RowDataPacket } from "mysql2";
import { databaseError } from "./errors.ts";
import { join, type Sql } from "./quote.ts";

const CONNECT_MS = 15_000;
/** A statement that waits longer is stuck: MariaDB on a full disk waits for ever. */
const STATEMENT_MS = 120_000;
const GOODBYE_MS = 1_000;

/** Which of several statements failed, counted from 0. */
export class StatementFailed extends Error {
  readonly index: number;
  readonly errno: number;

  constructor(index: number, errno: number, cause: unknown) {
    super("a statement failed", { cause });
    this.index = index;
    this.errno = errno;
  }
}

/** One login at a database server. It never comes back once it is lost. */
export class Session {
  readonly #server: string;
  readonly #connection: Connection;
  #alive = true;
  /** Packets sent to the server, a round trip each. */
  queries = 0;

  private constructor(server: string, connection: Connection) {
    this.#server = server;
    this.#connection = connection;
    const gone = (): void => {
      this.#alive = false;
    };
    connection.on("error", gone);
    connection.on("end", gone);
  }

  static async open(server: string, stream: Duplex): Promise<Session> {
    const connection = createConnection({
      stream,
      user: "root",
      charset: "utf8mb4_general_ci",
      connectTimeout: CONNECT_MS,
      // Many statements travel as one packet. Each is made by quote.ts alone: nothing else has the type.
      multipleStatements: true,
      flags: ["-LOCAL_FILES"],
      supportBigNumbers: true,
      dateStrings: true,
    });
    const session = new Session(server, connection);
    // A server that was killed ends its side only, and mysql2 would wait for the rest of an answer until its time-out.
    stream.once("end", () => stream.destroy());
    try {
      await new Promise<void>((resolve, reject) =>
        connection.connect((error) => (error === null ? resolve() : reject(error))),
      );
      return session;
    } catch (error) {
      connection.destroy();
      throw databaseError(server, error, "logging in");
    }
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Rows of one statement. @throws HW_DATABASE_UNREACHABLE, HW_DATABASE_FAILED */
  async query(statement: Sql, doing: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    this.queries += 1;
    try {
      return await new Promise((resolve, reject) => {
        this.#connection.query<RowDataPacket[]>({ sql: statement, timeout: STATEMENT_MS }, (error, rows) =>
          error === null ? resolve(rows) : reject(error),
        );
      });
    } catch (error) {
      this.#dropIfStuck(error);
      throw databaseError(this.#server, error, doing);
    }
  }

  /** Statements without rows, as one packet; they end at the first that fails. @throws StatementFailed */
  async run(statements: readonly Sql[]): Promise<void> {
    this.queries += 1;
    let done = 0;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // A query that is listened to is not told that its connection is lost: only the connection is.
    const lost = (error?: unknown): void => reject(new StatementFailed(done, 0, error));
    this.#connection.once("error", lost).once("end", lost);
    const query = this.#connection.query({ sql: join(statements, ";\n"), timeout: STATEMENT_MS });
    query.on("result", () => (done += 1));
    query.on("end", () => resolve());
    query.on("error", (error: QueryError) => {
      this.#dropIfStuck(error);
      reject(new StatementFailed(done, error.errno ?? 0, error));
    });
    try {
      await promise;
    } finally {
      this.#connection.off("error", lost).off("end", lost);
    }
  }

  async close(): Promise<void> {
    if (!this.#alive) return this.#connection.destroy();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, GOODBYE_MS);
      this.#connection.end(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.#connection.destroy();
  }

  /** An answer that comes after its time-out would be taken for the next statement's. */
  #dropIfStuck(error: unknown): void {
    if ((error as { code?: unknown }).code !== "PROTOCOL_SEQUENCE_TIMEOUT") return;
    this.#alive = false;
    this.#connection.destroy();
  }
}
