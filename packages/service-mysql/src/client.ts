import { HostwrightError, type Server, type Target } from "@hostwright/core";
import { databaseError } from "./errors.ts";
import { FLAVOURS, type Dialect, type Flavour } from "./flavour.ts";
import { MysqlOptions } from "./options.ts";
import { sql } from "./quote.ts";
import { Session } from "./session.ts";

// What quoting relies on, and waits that end: MySQL's own time for a metadata lock is a year.
const SETTINGS = sql`SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', lock_wait_timeout = 60`;
/** The database server of one target, over its unix socket as root: no open port and no password (decisions.md D31). */
export class Client {
  readonly flavour: Flavour;
  #resolvesNames = true;
  readonly #server: Server;
  readonly #socket: string;
  #session: Promise<Session> | undefined;

  constructor(server: Server, { flavour, socket }: MysqlOptions) {
    this.#server = server;
    this.flavour = flavour;
    this.#socket = socket;
  }

  /** The client of this target, opened on first use and closed with it. */
  static async of(target: Target): Promise<Client> {
    const options: MysqlOptions = MysqlOptions.parse(target.serviceOptions("mysql") ?? {});
    return target.connection(
      "mysql",
      async () => new Client(target.server, options),
      async (client) => client.close(),
    );
  }

  /** Known once a session was opened. */
  get dialect(): Dialect {
    return { flavour: this.flavour, resolvesNames: this.#resolvesNames };
  }

  /** A session that was alive a moment ago; a lost one is replaced. @throws HW_DATABASE_UNREACHABLE */
  session(): Promise<Session> {
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

  async #open(): Promise<Session> {
    const { name } = this.#server;
    const stream = await this.#server.forward({ path: this.#socket, user: "root" }).catch((error: unknown) => {
      throw databaseError(name, error, "connecting");
    });
    const session = await Session.open(name, stream);
    try {
      await session.query(SETTINGS, "logging in");
      await this.#check(session);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async #check(session: Session): Promise<void> {
    const { name } = this.#server;
    const [row] = await session.query(
      sql`SELECT VERSION() AS version, @@skip_name_resolve AS literalHosts`,
      "asking for its version",
    );
    this.#resolvesNames = Number(row?.["literalHosts"]) === 0;
    const flavour: Flavour = String(row?.["version"]).includes("MariaDB") ? "mariadb" : "mysql";
    if (flavour !== this.flavour) {
      throw new HostwrightError(
        "HW_PREREQUISITE_MISSING",
        `${name} runs ${FLAVOURS[flavour].title}, its service is declared as ${FLAVOURS[this.flavour].title}. Nothing was changed.`,
        {
          server: name,
          mend: `Declare it with mysql.service({ flavour: "${flavour}" }).`,
        },
      );
    }
    if (flavour === "mariadb") return;
    const [names] = await session.query(sql`SELECT @@partial_revokes AS literalNames`, "asking for its settings");
    if (Number(names?.["literalNames"]) === 0) return;
    throw new HostwrightError(
      "HW_PREREQUISITE_MISSING",
      `MySQL on ${name} has partial_revokes on: names in grants would be taken with their escapes. Nothing was changed.`,
      {
        server: name,
        mend: "SET PERSIST partial_revokes = OFF.",
      },
    );
  }
}
