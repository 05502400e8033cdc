import * as z from "zod";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Change, Declared, ResourceType, Target } from "../contracts/resource.ts";
import { RANK } from "./rank.ts";
import { reportOutcomes, type Failures } from "./outcomes.ts";
import { askPerl, changeByPerl } from "./perl.ts";
import { declare } from "./schemas.ts";
import { APPLY_UNITS, READ_UNITS } from "./unit-programs.ts";

export interface UnitSpec {
  /** With its suffix: `nginx.service`, `site@a.socket`. */
  readonly name: string;
  /** Started at boot; the unit's file needs an [Install] section for it. */
  readonly enabled: boolean;
  /** Running now. Null: does not matter (a service that its socket starts). */
  readonly active: boolean | null;
}

export interface UnitInput extends Pick<UnitSpec, "name" | "enabled"> {
  /** Default null: whether it runs does not matter. */
  readonly active?: boolean | null;
  /** Declared alike by several owners. Default false. */
  readonly shared?: boolean;
}

export interface UnitState {
  readonly enabled: boolean;
  /** `restarting`: it neither runs nor rests, as between its end and the next start. Null only in what is wished for. */
  readonly active: boolean | "restarting" | null;
  /** systemd or the running unit has not seen the unit's files as they are now. */
  readonly stale: boolean;
}

/**
 * A systemd unit: enabled or not, running or not, and never older than its own file and drop-ins. It sees those only:
 * to have a unit restarted when other configuration changes, put a digest of it into the unit's file or a drop-in
 * (`Environment=CONFIG=<sha256>`). A stale socket is closed together with what it starts, and opened again.
 */
export const unitType: ResourceType<UnitSpec, UnitState> = {
  name: "unit",
  schema: z.strictObject({
    name: z
      .string()
      .max(255)
      .regex(
        /^[A-Za-z0-9_][A-Za-z0-9:_.\\-]*(@[A-Za-z0-9:_.\\-]+)?\.(service|socket|timer|path|target|slice|mount)$/,
        "the full name of a unit, such as nginx.service",
      ),
    enabled: z.boolean(),
    active: z.boolean().nullable().default(null),
  }),
  rank: RANK.unit,
  removal: "delete",
  key: (spec) => spec.name,
  desired: ({ enabled, active }) => ({ enabled, active, stale: false }),
  read: readUnits,
  identity: (state) => state,
  satisfies: (desired, present) =>
    desired.enabled === present.enabled &&
    (desired.active === null || desired.active === present.active) &&
    (desired.stale || !present.stale),
  refreshedBy: (key, other) => other.type === "file" && isFileOf(key, other.key),
  apply: applyUnits,
  showSpec: (spec) => show({ ...spec, stale: false }),
  showState: show,
};

/** The unit's own file or one of its drop-ins, where an administrator's files lie. */
function isFileOf(name: string, path: string): boolean {
  return path === `/etc/systemd/system/${name}` || path.startsWith(`/etc/systemd/system/${name}.d/`);
}

/** A systemd unit that is there already or is declared as a file. @throws HW_INPUT_INVALID */
export function unit({ shared, ...spec }: UnitInput): Declared {
  return declare(unitType, spec, shared);
}

function show({ enabled, active, stale }: UnitState): string {
  const activity = active === null ? "started on demand" : active === true ? "running" : active || "stopped";
  return `${enabled ? "enabled" : "not enabled"}, ${activity}${stale ? ", older than its files" : ""}`;
}

function format(state: UnitState | null): string {
  if (state === null) return "-";
  const digit = (value: boolean): string => (value ? "1" : "0");
  const { enabled, active, stale } = state;
  const activity = active === null ? "*" : active === "restarting" ? "r" : digit(active);
  return [digit(enabled), activity, digit(stale)].join(" ");
}

export function parseUnit(line: string): UnitState | null {
  const [enabled, active, stale] = line.split(" ");
  if (stale === undefined) return null;
  return { enabled: enabled === "1", active: active === "r" ? "restarting" : active === "1", stale: stale === "1" };
}

async function readUnits(target: Target, names: readonly string[]): Promise<Map<string, UnitState>> {
  const states = new Map<string, UnitState>();
  if (names.length === 0) return states;
  const { stdout } = await askPerl(target, READ_UNITS, names.map((name) => `${name}\0`).join(""));
  const lines = stdout.toString("utf8").split("\0");
  if (lines.length !== names.length + 2 || lines.at(-2) !== "end") {
    const message = `The units of ${target.server.name} could not be read: the answer was incomplete. Nothing was changed.`;
    throw new HostwrightError("HW_COMMAND_FAILED", message, { server: target.server.name, retryable: true });
  }
  names.forEach((name, index) => {
    const state = parseUnit(lines[index] ?? "");
    if (state !== null) states.set(name, state);
  });
  return states;
}

const FAILURES: Failures = {
  failed: {
    code: "HW_COMMAND_FAILED",
    says: (key, detail) => `${key}: systemd did not bring it there, ${detail}`,
    remedy: "Look at `systemctl status` and `journalctl -u` of the unit on the server.",
  },
  changed: { code: "HW_RESOURCE_CHANGED", says: (key) => `${key}: it is not what it was when it was read` },
};

async function applyUnits(target: Target, changes: readonly Change<UnitState>[]): Promise<void> {
  if (changes.length === 0) return;
  const fields = changes.flatMap(({ key, before, after }) => [key, format(before), format(after)]);
  const input = [...fields, "end"].map((field) => `${field}\0`).join("");
  const { stdout } = await changeByPerl(target, APPLY_UNITS, input, { timeoutMs: 300_000 });
  reportOutcomes(
    target.server,
    changes.map((change) => change.key),
    stdout,
    FAILURES,
  );
}
