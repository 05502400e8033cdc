import * as z from "zod";
import type { Policy } from "./api/access.ts";
import type { Notifier } from "./contracts/notifier.ts";
import type { Plugin } from "./contracts/plugin.ts";
import type { Provider } from "./contracts/part.ts";
import { parseInput } from "./model/parse.ts";
import type { Retention } from "./model/retention.ts";
import type { Secret } from "./model/secret.ts";

export interface HostwrightOptions {
  /** Folder of the state, on a local disk: the store, unless it is another one, and the key. Made with mode 0700, refused if others can enter it. */
  readonly stateDir: string;
  /** What the plugins' packages export; each once. */
  readonly plugins: readonly Plugin[];
  /**
   * Key that seals secrets and plans: base64 of 32 bytes (several: the first seals, all open), or the bytes. Given in
   * one way: itself, a file of mode 0600, or the name of an environment variable. Default: the file `key` in the state
   * folder, made on first use.
   */
  readonly key?: { readonly key?: Secret | Uint8Array; readonly file?: string; readonly env?: string };
  /**
   * `submit`, for a panel: submits requests and approvals, follows and cancels tasks, reads records. It holds no key (the
   * option `key` is refused, the file is neither read nor made) and reaches no server: `plan`, `run`, `work`, `resolve`,
   * storing secrets and recording how a server is reached throw HW_ROLE_SUBMIT, and secrets in the value of a task stay references. Default: everything.
   */
  readonly role?: "submit";
  /** Range of the sites' unix ids, both ends included; default 20000 to 59999. An id is never used again. */
  readonly uids?: { readonly from: number; readonly to: number };
  /**
   * Milliseconds of silence after which others take this process for dead and go on with its tasks, when it hangs or runs on
   * another machine; 1,000 to 86,400,000 (a day). Default 60,000. Each process that shares the store may have its own: it is
   * judged by that. One that is gone from the same machine is found out at once.
   */
  readonly leaseMs?: number;
  /**
   * How long what is over is kept; a worker removes the rest, and `maintain`. `taskDays` (default 90): tasks that ended,
   * with value, journal and events. `eventDays` (default 90): events. Each may be null: for ever. `secretMinutes` (default
   * 60): secrets of a task that ended, a login link. `plans` (default 1,000): plans at once, which go after 24 hours anyway.
   */
  readonly retention?: Partial<Retention>;
  /** Rules for actors other than the application itself; default: every actor may do everything. */
  readonly policy?: Policy;
  /**
   * Who is told of tasks that end from now on: `[webhook({ url, secret })]`. Sent by instances that `work`, at least once
   * each, also after a crash. Default: nobody. Refused in the role `submit`.
   */
  readonly notify?: readonly Notifier[];
  /** The application's own parts in place of default ones: `provide(PART.openServer, ...)`. Default: none. */
  readonly provide?: readonly Provider<unknown>[];
}

const Days = z.number().positive().max(36_500).nullable().optional();
const Uid = z.int().min(1_000).max(4_000_000_000);

/** Some are judged by whoever uses them. */
const Schema: z.ZodType = z.strictObject({
  stateDir: z.string().min(1),
  plugins: z.array(z.unknown()),
  key: z.unknown().optional(),
  role: z.unknown().optional(),
  uids: z
    .strictObject({ from: Uid, to: Uid })
    .refine(({ from, to }) => from <= to, "its end is before its beginning")
    .optional(),
  leaseMs: z.unknown().optional(),
  retention: z
    .strictObject({
      taskDays: Days,
      eventDays: Days,
      secretMinutes: z.number().positive().max(52_560_000).optional(),
      plans: z.int().min(10).max(1_000_000).optional(),
    })
    .optional(),
  policy: z.unknown().optional(),
  notify: z.array(z.unknown()).optional(),
  provide: z.array(z.unknown()).optional(),
} satisfies { readonly [K in keyof Required<HostwrightOptions>]: z.ZodType });

/** @throws HW_INPUT_INVALID naming the option: also one that there is not */
export function checkOptions(options: HostwrightOptions): void {
  parseInput(Schema, options, "createHostwright");
}
