import type { Command, CommandResult, Server, ServerStats } from "../model/server.ts";

/** sshd's MaxSessions is 10 as shipped. */
const PLACES = 6;

/**
 * Connections beside a server's own, for forwards that show another user. To sshd each of those is a session for as long as
 * it lasts, and database sessions last as long as tasks: commands that waited for their places would wait for each other.
 */
export class SshRelays {
  readonly #open: () => Server;
  readonly #used = new Map<Server, number>();

  constructor(open: () => Server) {
    this.#open = open;
  }

  /** Of the connections that are open. */
  get stats(): readonly ServerStats[] {
    return [...this.#used.keys()].map(({ stats }) => stats);
  }

  async run(command: Command): Promise<CommandResult> {
    const server = [...this.#used].find(([, used]) => used < PLACES)?.[0] ?? this.#open();
    this.#use(server, 1);
    try {
      return await server.run(command);
    } finally {
      this.#use(server, -1);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#used.keys()].map(async (server) => server.close()));
  }

  #use(server: Server, change: 1 | -1): void {
    const used = (this.#used.get(server) ?? 0) + change;
    this.#used.set(server, used);
    if (used > 0) return;
    this.#used.delete(server);
    void server.close();
  }
}
