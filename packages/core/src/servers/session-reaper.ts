import { setTimeout as delay } from "node:timers/promises";

/**
 * Signals whole sessions, each given as SIGNAL:ID (signal 0 only looks), and prints the ids of those that still live.
 * The group is signalled at once by the kernel; the walk finds what left the group, as `timeout` does. Zombies are
 * dead: who reaps them is not our concern.
 */
export const REAP = `for want; do
  case $want in 0:*) ;; *) kill -s "\${want%%:*}" -- "-\${want#*:}" 2>/dev/null ;; esac
done
wants=$*
for file in /proc/[0-9]*/stat; do
  { read -r line <"$file"; } 2>/dev/null || continue
  set -- \${line##*) }
  case $1 in Z | X) continue ;; esac
  for want in $wants; do
    test "\${want#*:}" = "$4" || continue
    process=\${file#/proc/}
    case $want in 0:*) ;; *) kill -s "\${want%%:*}" "\${process%/stat}" 2>/dev/null ;; esac
    echo "$4"
  done
done
:
`;

/** Runs REAP on the server with these arguments and gives its output, in bounded time. */
export type Reap = (requests: readonly string[]) => Promise<string>;

export interface ReaperTimes {
  /** Between SIGTERM and SIGKILL; default 5,000. */
  readonly graceMs?: number;
  /** How long after SIGKILL a session is waited for; default 5,000. */
  readonly killedMs?: number;
}

const LOOK_AGAIN_MS = 100;

interface Dying {
  readonly since: number;
  asked: boolean;
  readonly end: Promise<boolean>;
  readonly settle: (gone: boolean) => void;
  readonly fail: (error: unknown) => void;
}

/** Ends the sessions of commands. However many are dying, one channel and one look at a time serve them all. */
export class SessionReaper {
  readonly #reap: Reap;
  readonly #graceMs: number;
  readonly #killedMs: number;
  readonly #dying = new Map<number, Dying>();
  #awake = false;

  constructor(reap: Reap, times: ReaperTimes = {}) {
    this.#reap = reap;
    this.#graceMs = times.graceMs ?? 5000;
    this.#killedMs = times.killedMs ?? 5000;
  }

  /** SIGTERM now, SIGKILL after the grace; resolves when nothing of the session lives, false when it cannot be ended. */
  end(session: number): Promise<boolean> {
    const known = this.#dying.get(session);
    if (known !== undefined) return known.end;
    const { promise: end, resolve: settle, reject: fail } = Promise.withResolvers<boolean>();
    this.#dying.set(session, { since: performance.now(), asked: false, end, settle, fail });
    if (!this.#awake) void this.#work();
    return end;
  }

  async #work(): Promise<void> {
    this.#awake = true;
    try {
      while (this.#dying.size > 0) {
        await this.#look();
        if (this.#dying.size > 0) await delay(LOOK_AGAIN_MS);
      }
    } catch (error) {
      for (const { fail } of this.#dying.values()) fail(error);
      this.#dying.clear();
    } finally {
      this.#awake = false;
    }
  }

  async #look(): Promise<void> {
    const now = performance.now();
    const looked = [...this.#dying];
    const output = await this.#reap(looked.map(([session, dying]) => `${this.#signal(dying, now)}:${session}`));
    const living = new Set(output.split("\n").map(Number));
    for (const [session, dying] of looked) {
      const gone = !living.has(session);
      if (!gone && now - dying.since < this.#graceMs + this.#killedMs) continue;
      this.#dying.delete(session);
      dying.settle(gone);
    }
  }

  #signal(dying: Dying, now: number): string {
    if (now - dying.since >= this.#graceMs) return "KILL";
    if (dying.asked) return "0";
    dying.asked = true;
    return "TERM";
  }
}
