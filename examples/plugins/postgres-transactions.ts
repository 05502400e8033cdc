import { setTimeout as delay } from "node:timers/promises";
import { HostwrightError } from "@hostwright/core/kernel";
import { Pool, type PoolClient } from "pg";

export type Work<T> = (client: PoolClient) => Promise<T>;

export interface Waiting {
  /** Milliseconds for which it is tried again; default 30,000. */
  readonly waitMs?: number;
  /** Is a full disk waited for as well? Default: no. */
  readonly full?: boolean;
}

/** Milliseconds. */
const BUSY = 30_000;
/** Until a connection stands, and until a statement that waits for nobody is answered. */
const [CONNECT, ANSWER] = [10_000, 30_000];
/** Whoever stops inside a transaction keeps its locks no longer. */
const IDLE = 5_000;
/** For which the fate of a commit is asked for. */
const FATE = 60_000;

const BROKEN = "connection lost";
/** serialization_failure, deadlock_detected, lock_not_available, cannot_connect_now, too_many_connections. */
const AGAIN = [BROKEN, "40001", "40P01", "55P03", "57P03", "53300"];
const FULL = "53100";

/** Transactions of a database that others use too, and that may go away for a while. */
export class Transactions {
  readonly #pool: Pool;
  #isClosed = false;

  constructor(url: string) {
    this.#pool = new Pool({
      connectionString: url,
      max: 4,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT,
      query_timeout: ANSWER,
      idle_in_transaction_session_timeout: IDLE,
    });
    // A connection that ends while nobody uses it: the next one is opened when it is needed.
    this.#pool.on("error", () => undefined);
  }

  /** What reads sees one state of the database, and leaves no trace in it. */
  async read<T>(work: Work<T>, waiting?: Waiting): Promise<T> {
    return this.#run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", work, waiting);
  }

  async write<T>(work: Work<T>, waiting?: Waiting): Promise<T> {
    return this.#run("BEGIN", work, waiting);
  }

  /**
   * Writers one after the other, each with a snapshot that it takes once it has its turn: nothing is ever run again for
   * another's sake. With SERIALIZABLE instead, four workers ran most transactions many times, and some for longer than they
   * may wait: nearly all of them read and raise the same few counters.
   */
  async writeAlone<T>(work: Work<T>, waiting?: Waiting): Promise<T> {
    return this.#run("BEGIN ISOLATION LEVEL REPEATABLE READ", work, waiting, "LOCK TABLE writers IN EXCLUSIVE MODE");
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#pool.end();
  }

  async #run<T>(
    begin: string,
    work: Work<T>,
    { waitMs = BUSY, full = false }: Waiting = {},
    lock?: string,
  ): Promise<T> {
    const deadline = performance.now() + waitMs;
    for (let tries = 1; ; tries++) {
      if (this.#isClosed) throw new HostwrightError("HW_CLOSED", "The store is closed. Nothing was written.");
      const left = Math.max(1, Math.ceil(deadline - performance.now()));
      try {
        return await this.#once(begin, work, lock, left);
      } catch (error) {
        const code = codeOf(error);
        if (code === null) throw error;
        const passes = AGAIN.includes(code) || (full && code === FULL);
        if (!passes || performance.now() >= deadline) throw storeError(code, error);
        await delay(Math.random() * Math.min(5 * 2 ** tries, 250));
      }
    }
  }

  async #once<T>(begin: string, work: Work<T>, lock: string | undefined, waitMs: number): Promise<T> {
    let [number, result]: [string | null, { readonly of: T } | null] = [null, null];
    try {
      await this.#connected(async (client) => {
        await ask(client, begin);
        if (lock !== undefined) {
          await ask(client, `SET LOCAL lock_timeout = ${waitMs}`);
          await ask(client, lock, waitMs + ANSWER);
        }
        if (!begin.endsWith("READ ONLY")) number = await valueOf(client, "SELECT pg_current_xact_id()");
        result = { of: await work(client) };
        await ask(client, "COMMIT");
      });
    } catch (error) {
      // At a commit that was lost nobody heard whether it was made: the database knows.
      if (result === null || number === null || codeOf(error) !== BROKEN) throw error;
      if (!(await this.#isCommitted(number))) throw error;
    }
    return (result as unknown as { readonly of: T }).of;
  }

  /** A client of its own, given back without a transaction, or not at all. */
  async #connected<T>(work: Work<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    const breaks = (error: Error): void => void (broken ??= error);
    client.on("error", breaks);
    try {
      return await work(client);
    } catch (error) {
      if (codeOf(error) === BROKEN) breaks(error as Error);
      else await ask(client, "ROLLBACK").catch(breaks);
      throw error;
    } finally {
      client.off("error", breaks);
      client.release(broken);
    }
  }

  async #isCommitted(number: string): Promise<boolean> {
    const deadline = performance.now() + FATE;
    for (;;) {
      const status = await this.#connected(async (client) =>
        valueOf(client, "SELECT pg_xact_status($1::xid8)", [number]),
      ).catch((error: unknown) => {
        if (performance.now() < deadline && AGAIN.includes(codeOf(error) ?? "")) return "unknown";
        const what = "The connection was lost at a commit, and whether it was made could not be found out.";
        throw new HostwrightError("HW_STORE_FAILED", what, { cause: error });
      });
      if (status === "committed" || status === "aborted") return status === "committed";
      await delay(200);
    }
  }
}

/** One value of one row, as text. */
export async function valueOf(client: PoolClient, text: string, values: readonly unknown[] = []): Promise<string> {
  const { rows } = await client.query<[unknown]>({ text, values: [...values], rowMode: "array" });
  return String(rows[0]?.[0]);
}

async function ask(client: PoolClient, text: string, answerMs: number = ANSWER): Promise<void> {
  // Not in the library's types: the time within which this one is answered.
  const query = { text, query_timeout: answerMs };
  await client.query(query);
}

/** Of the database or of the way to it; null of anything else, which is the work's own. */
function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || error.name === "HostwrightError") return null;
  const { code } = error as { readonly code?: unknown };
  if (/^(?:E[A-Z_]+|08\d{3}|57P01|25P03)$/.test(String(code))) return BROKEN;
  if (/^(?:Connection terminated|Client has |timeout exceeded|Query read timeout)/.test(error.message)) return BROKEN;
  return typeof code === "string" ? code : null;
}

function storeError(code: string, cause: unknown): HostwrightError {
  if (AGAIN.includes(code)) {
    const what = "The database was busy, or could not be reached, for too long. Nothing was written.";
    return new HostwrightError("HW_STORE_BUSY", what, { retryable: true, cause });
  }
  if (code === FULL)
    return new HostwrightError("HW_DISK_FULL", "The disk of the database is full. Nothing was written.", { cause });
  return new HostwrightError("HW_STORE_FAILED", `The database failed (${code}). Nothing was written.`, { cause });
}
