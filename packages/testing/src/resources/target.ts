import { randomBytes } from "node:crypto";
import type { Resolve, Server, Target } from "@hostwright/core/plugin";

export interface TargetOptions {
  readonly resolve?: Resolve;
  readonly serviceOptions?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
  /** Lease that the work is done under; default: one of its own, as that of a task on another site. */
  readonly scope?: string;
  /** Called before each change: a fence that rejects has lost the lease. */
  readonly fence?: () => Promise<void>;
}

// One change at a time, as core's own lock of a server has it.
const LOCKED = "exec 9> /run/hostwright-conformance.lock && flock 9 || exit 75\n";

export type OpenTarget = Target & AsyncDisposable;

/** What a task of its own works on: connections are opened once and closed with it. */
export function openTarget(server: Server, options: TargetOptions = {}): OpenTarget {
  const { signal = new AbortController().signal, serviceOptions = {}, fence } = options;
  const open = new Map<string, Promise<unknown>>();
  const closers: (() => Promise<void>)[] = [];
  return {
    server,
    credentials: null,
    signal,
    scope: options.scope ?? `site/${randomBytes(5).toString("hex")}`,
    resolve: options.resolve ?? secretOf,
    serviceOptions: (type) => serviceOptions[type],
    connection: async <T>(key: string, make: () => Promise<T>, close: (connection: T) => Promise<void>): Promise<T> => {
      const known = open.get(key) as Promise<T> | undefined;
      if (known !== undefined) return known;
      const making = make();
      open.set(key, making);
      closers.push(async () => close(await making));
      return making;
    },
    mutate: async (script) => {
      await fence?.();
      return server.script({ signal, ...script, script: `${LOCKED}${script.script}` });
    },
    [Symbol.asyncDispose]: async () => void (await Promise.allSettled(closers.map(async (close) => close()))),
  };
}

/** In every secret that a suite makes up, and nowhere else: whoever finds it has found a leak. */
export const SECRET_MARK = "mark-of-a-secret-7f3a";

/** The value of a secret by its reference; each is another one. */
export const secretOf: Resolve = ({ id }) => `${SECRET_MARK}-${id}`;
