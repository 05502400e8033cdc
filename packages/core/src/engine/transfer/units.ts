import type { Target } from "../../contracts/resource.ts";
import type { ProgramEnd } from "../../contracts/steps.ts";
import { resolveText } from "../../model/text.ts";
import { stopRemoteUnit } from "../../operations/remote-unit.ts";
import { PUMP } from "./pump.ts";
import { pumpInput } from "./pump-input.ts";

/** Which of an attempt's units: what gives, what takes, and what tells before both what is there already. */
export type Role = "from" | "to" | "has";

export interface UnitLimits {
  readonly idleMs: number;
  readonly timeoutMs: number;
}

/** A program with its `PUMP` as a transient unit: what `systemd-run` gets, and the unit's input. */
export interface PumpUnit {
  readonly words: readonly string[];
  readonly input: Buffer;
}

/** What a unit's script may take beyond its own limit: to start it, and to end it. */
export const SLACK_MS = 30_000;

/** Script of one unit; its arguments are the unit's words. */
export const ALONE = 'systemd-run "$@"';

/** A unit's own pipes are those of its script. A signal is the pump's alone, which ends its program without an end of its input. */
const COMMON = ["--quiet", "--pipe", "--wait"];

/** @throws HW_INPUT_INVALID */
export function pumpUnit(
  { resolve }: Pick<Target, "resolve">,
  named: { readonly attempt: string; readonly role: Role },
  end: ProgramEnd & { readonly trailer?: string; readonly input?: Buffer },
  { idleMs, timeoutMs }: UnitLimits,
): PumpUnit {
  const properties = [
    ...end.properties,
    ["Type", "exec"],
    ["KillMode", "mixed"],
    ["RuntimeMaxSec", String(seconds(timeoutMs))],
    ["TimeoutStopSec", "5"],
  ].flatMap(([name, value]) => ["-p", `${name}=${value}`]);
  const mode = named.role === "to" ? "receive" : "send";
  const pump = ["/usr/bin/perl", "-e", PUMP, "--", mode, String(seconds(idleMs))];
  return {
    words: [...COMMON, `--unit=${unitName(named.attempt, named.role)}`, ...properties, "--", ...pump],
    input: pumpInput({ ...end, login: resolveText(end.login ?? "", resolve) }),
  };
}

/** Stops it, whether it was begun or not; seen gone when this returns. @throws HW_COMMAND_TIMEOUT when something of it lives on */
export async function stopUnit(target: Pick<Target, "server">, attempt: string, role: Role): Promise<void> {
  await stopRemoteUnit(target, `${attempt}-${role}`);
}

/** systemd's word for how it ended: `timeout`, `oom-kill`, `signal` ... `success` also of one that it does not know any more. */
export async function resultOf({ server }: Pick<Target, "server">, attempt: string, role: Role): Promise<string> {
  const argv = ["systemctl", "show", "-p", "Result", "--value", unitName(attempt, role)];
  return (await server.run({ argv })).stdout.toString("utf8").trim();
}

export function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}

function unitName(attempt: string, role: Role): string {
  return `hostwright-${attempt}-${role}`;
}
