import { databaseSession, type Declared, type Resolve, type ResourceType, type Target } from "@hostwright/core/plugin";
import { createConnection, type Connection, type RowDataPacket } from "mysql2/promise";
import { expect } from "vitest";
import { startHosts, type TestHost, type TestHosts } from "../../../test/hosts/hosts.ts";
import { sshTo } from "../../testing/src/containers/ssh-to.ts";
import type { SshServer } from "../../core/src/servers/ssh-server.ts";
import { accountType } from "../src/account-type.ts";
import { databaseType } from "../src/database-type.ts";
import { role } from "../src/role.ts";
import { driver, type Session } from "../src/session.ts";
import { passwordOf, request, serverView } from "./samples.ts";
import { base, client, flavour, service } from "../../../test/support/tested-mysql.ts";

const SOCKET = "/run/mysqld/mysqld.sock";

/** In every password, and nowhere else. */
export const PASSWORD_MARK = "pass-word-of-";

/** Each secret is another word that no log may hold. */
export const resolve: Resolve = ({ id }) => `${PASSWORD_MARK}${id}`;
export const password = (id: string): string => resolve(passwordOf(id));
export const site = (id: string): readonly Declared[] => role.site(request(id), serverView({ flavour }));
export const coded = (code: string, more: object = {}): unknown => expect.objectContaining({ code, ...more });

// oxlint-disable-next-line typescript/no-explicit-any -- as the engine does
export type AnyType = ResourceType<any, any>;

/** A test host with its database server, worked on as the engine does. */
export class DatabaseHost implements AsyncDisposable {
  readonly host: TestHost;
  readonly server: SshServer;
  readonly #hosts: TestHosts;

  private constructor(hosts: TestHosts) {
    this.#hosts = hosts;
    const host = hosts.host("db");
    this.host = host;
    this.server = sshTo(host);
  }

  /** A fresh one, which logs every statement. */
  static async start(): Promise<DatabaseHost> {
    const db = new DatabaseHost(await startHosts([{ name: "db", base, services: [service] }]));
    await db.logStatements();
    return db;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.#hosts.stop();
  }

  /** Until the database server is restarted. */
  async logStatements(): Promise<void> {
    await this.admin("SET GLOBAL general_log_file = 'all-queries.log'; SET GLOBAL general_log = ON");
  }

  async statements(): Promise<string> {
    return this.host.sh("cat /var/lib/mysql/all-queries.log");
  }

  /** A target of a task of its own: own connections, closed with it. */
  target(over: Partial<Target> = {}): Target & AsyncDisposable {
    const { server } = this;
    const connections = new Map<string, Promise<unknown>>();
    const closers: (() => Promise<void>)[] = [];
    return {
      server,
      credentials: null,
      signal: new AbortController().signal,
      scope: "site/s1",
      resolve,
      serviceOptions: () => ({ flavour }),
      connection: async <T>(
        key: string,
        open: () => Promise<T>,
        close: (connection: T) => Promise<void>,
      ): Promise<T> => {
        const known = connections.get(key) as Promise<T> | undefined;
        if (known !== undefined) return known;
        const opening = open();
        connections.set(key, opening);
        closers.push(async () => close(await opening));
        return opening;
      },
      mutate: async (script) => server.script(script),
      ...over,
      [Symbol.asyncDispose]: async () => void (await Promise.all(closers.map(async (close) => close()))),
    };
  }

  /** Statements as the server's administrator. */
  async admin(sql: string): Promise<string> {
    return this.host.sh(`${client} -N -B`, { input: sql });
  }

  /** As a site's PHP logs in: over the socket, with user and password. */
  async login(user: string, password: string, database?: string): Promise<Connection & AsyncDisposable> {
    const stream = await this.server.forward({ path: SOCKET });
    const connection = await createConnection({
      stream,
      // Tells that the line is a safe one for the password, as MySQL knows it to be.
      socketPath: SOCKET,
      user,
      password,
      multipleStatements: true,
      ...(database === undefined ? {} : { database }),
    }).catch((error: unknown) => {
      stream.destroy();
      throw error;
    });
    connection.on("error", () => {});
    return Object.assign(connection, { [Symbol.asyncDispose]: async () => connection.destroy() });
  }
}

const TYPES: Readonly<Record<string, AnyType>> = { [databaseType.name]: databaseType, [accountType.name]: accountType };

/** Reads what is declared, and what stands: of each its key, its present and its desired state. */
export async function compare(
  target: Target,
  declared: readonly Declared[],
  types = TYPES,
): Promise<readonly Compared[]> {
  const all: Compared[] = [];
  for (const { type: name, spec } of declared) {
    const type = types[name];
    if (type === undefined) throw new Error(`no type ${name}`);
    const parsed: unknown = type.schema.parse(spec);
    const key = type.key(parsed);
    const present: unknown = (await type.read(target, [key], { contents: true })).get(key) ?? null;
    const desired: unknown = type.desired(parsed, resolve);
    const same =
      present !== null &&
      JSON.stringify(sorted(type.identity(desired))) === JSON.stringify(sorted(type.identity(present)));
    all.push({
      type,
      key,
      before: present,
      after: desired,
      satisfied: present !== null && (type.satisfies?.(desired, present) ?? same),
    });
  }
  return all;
}

export interface Compared {
  readonly type: AnyType;
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly satisfied: boolean;
}

/** Applies what differs, one after another, and gives the changes made. */
export async function ensure(
  target: Target,
  declared: readonly Declared[],
  types = TYPES,
): Promise<readonly Compared[]> {
  const made: Compared[] = [];
  for (const one of declared) {
    const [compared] = await compare(target, [one], types);
    if (compared === undefined || compared.satisfied) continue;
    await compared.type.apply(target, [compared]);
    made.push(compared);
  }
  return made;
}

/** Undo: the same changes with the sides swapped, last first. */
export async function undo(target: Target, changes: readonly Compared[]): Promise<void> {
  for (const { type, key, before, after } of changes.toReversed())
    await type.apply(target, [{ key, before: after, after: before }]);
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

export async function sessionOf(target: Target): Promise<Session> {
  return databaseSession(target, driver);
}

export async function rows(connection: Connection, sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const [found] = await connection.query<RowDataPacket[]>(sql);
  return found;
}

/** First column of each row. */
export async function column(connection: Connection, sql: string): Promise<readonly unknown[]> {
  return (await rows(connection, sql)).map((row) => Object.values(row)[0]);
}

/** Those of the statements that were carried out, or failed for another reason than missing rights. */
export async function notRefused(connection: Connection, statements: readonly string[]): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const statement of statements) {
    const answer = await connection.query(statement).then(
      () => "carried out",
      (error: unknown) => String(error),
    );
    if (!/denied|privilege|not allowed/i.test(answer)) wrong.push(`${statement}: ${answer}`);
  }
  return wrong;
}
