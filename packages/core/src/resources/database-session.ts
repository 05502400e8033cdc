import type { Duplex } from "node:stream";
import type { Target } from "../contracts/resource.ts";
import type { Sql } from "../model/sql.ts";
import { nothingAnswers } from "../servers/socket-errors.ts";
import { within } from "../servers/within.ts";
import { databaseError, type DatabaseFailure } from "./database-error.ts";

/** A database server that is stuck lets a session in and says nothing. */
const LOGIN_MS = 60_000;

/** One login of a server's administrator at its database server. It never comes back once it is lost. */
export interface DatabaseSession {
  /** False once it is lost. */
  readonly alive: boolean;
  /** Rows of one statement; `values` for its placeholders, where the server has them. @throws what its library throws */
  query(statement: Sql, values?: readonly unknown[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Statements without rows, in one round trip and in their order up to the first that fails. @throws StatementFailed */
  run(statements: readonly Sql[]): Promise<void>;
  close(): Promise<void>;
}

/** Which of several statements failed, counted from 0, and what the library threw. */
export class StatementFailed extends Error {
  readonly index: number;

  constructor(index: number, cause: unknown) {
    super("a statement failed", { cause });
    this.index = index;
  }
}

/** How a plugin talks to the database server that it manages. Nothing is opened before it is needed. */
export interface DatabaseDriver<Session extends DatabaseSession> {
  /** Of the service: `mysql`. */
  readonly type: string;
  /** What to look at where the server's socket does not answer. */
  readonly remedy: string;
  /** The server's own unix socket, and the unix user who administers it: no open port, no password (decisions.md D31). */
  readonly socket: (target: Target) => { readonly path: string; readonly user: string };
  /** Logs in over the stream, which is destroyed when this fails or takes a minute; `database`: into that one, else into none of a site's. */
  readonly login: (target: Target, stream: Duplex, database: string | null) => Promise<Session>;
  /** What an error of the library means. */
  readonly explain: (error: unknown) => DatabaseFailure;
  /**
   * The lock that all who change databases by Hostwright take, whatever the installation; it goes with its session.
   * `take` tries once and tells `got` as true or 1. `endEarlier` ends the session that has it, if that is of the same
   * lease's scope: an earlier holder's.
   */
  readonly lock: (scope: string) => { readonly take: Sql; readonly endEarlier: Sql; readonly release: Sql };
  /** How many statements may travel together. */
  readonly batch: number;
  /** Folder to sync after changes, where the server does not sync all that it was told; null: it does. */
  readonly unsynced: (session: Session) => string | null;
}

/**
 * The session of a target that was alive a moment ago: opened on first use, replaced when it was lost, closed with the
 * target. @throws HW_DATABASE_UNREACHABLE
 */
export async function databaseSession<Session extends DatabaseSession>(
  target: Target,
  driver: DatabaseDriver<Session>,
): Promise<Session> {
  const link = await target.connection(
    driver.type,
    async () => new Link(async () => openSession(target, driver, null)),
    async (opened) => opened.close(),
  );
  return link.session().catch((error: unknown) => {
    throw databaseError(target.server.name, driver, error, "connecting");
  });
}

/** One of its own, for its caller to close. @throws what the library throws */
export async function openSession<Session extends DatabaseSession>(
  target: Target,
  driver: DatabaseDriver<Session>,
  database: string | null,
  loginMs: number = LOGIN_MS,
): Promise<Session> {
  const socket = driver.socket(target);
  const stream = await target.server.forward(socket);
  const login = driver.login(target, stream, database);
  try {
    const session = await within(loginMs, login);
    if (session !== undefined) return session;
    // It may still log in: nobody would close it.
    void login.then(async (late) => late.close()).catch(() => undefined);
    throw nothingAnswers(target.server.name, socket, new Error("it let nobody log in in time"));
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

class Link<Session extends DatabaseSession> {
  readonly #open: () => Promise<Session>;
  #session: Promise<Session> | undefined;

  constructor(open: () => Promise<Session>) {
    this.#open = open;
  }

  async session(): Promise<Session> {
    // Without a pause before it is noted: of two that ask at once, the second would open another that nobody closes.
    const known = this.#session?.catch(() => undefined) ?? Promise.resolve(undefined);
    this.#session = known.then((session) => (session?.alive === true ? session : this.#open()));
    return this.#session;
  }

  async close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined);
    this.#session = undefined;
    await session?.close();
  }
}
