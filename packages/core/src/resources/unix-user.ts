import * as z from "zod";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Change, Declared, ResourceType, Target } from "../contracts/resource.ts";
import { RANK } from "./rank.ts";
import { reportOutcomes, type Failures } from "./outcomes.ts";
import { askPerl, changeByPerl } from "./perl.ts";
import { declare, UnixName } from "./schemas.ts";
import { APPLY_USERS, CLEAR_USERS, READ_USERS } from "./unix-user-programs.ts";

const NOLOGIN = "/usr/sbin/nologin";

export interface UnixUserSpec {
  /** Of the user and of its group. */
  readonly name: string;
  /** Number of both; never given out by the server itself (decisions.md D23). */
  readonly uid: number;
  /** Written down, not made. */
  readonly home: string;
  /** Users that are in this group too, such as `www-data`; no others are. */
  readonly members: readonly string[];
}

export interface UnixUserInput extends Omit<UnixUserSpec, "members"> {
  /** Default none. */
  readonly members?: readonly string[];
}

export interface UnixUserState {
  readonly uid: number;
  /** Number of the group of that name; null when there is none, or when it is not the user's own. */
  readonly gid: number | null;
  readonly home: string;
  readonly shell: string;
  /** Nobody can log in with a password. */
  readonly locked: boolean;
  /** Sorted. */
  readonly members: readonly string[];
}

/**
 * A unix user with a group of the same name and number: locked, without a shell, without a crontab. New ones come in
 * bulk. A number that another name holds refuses the whole change (HW_RESOURCE_FOREIGN); numbers never change. A user
 * with running processes is not removed (HW_RESOURCE_CHANGED).
 */
export const unixUserType: ResourceType<UnixUserSpec, UnixUserState> = {
  name: "unix-user",
  schema: z.strictObject({
    name: UnixName,
    uid: z
      .int()
      .min(1)
      .max(2_000_000_000)
      .refine((uid) => uid !== 65_534 && uid !== 65_535, "a number that is nobody's"),
    home: z.string().regex(/^(\/[A-Za-z0-9._-]+)+$/, "an absolute path of letters, digits, dots, dashes and _"),
    members: z.array(UnixName).readonly().default([]),
  }),
  rank: RANK.user,
  removal: "clean-up",
  key: (spec) => spec.name,
  desired: ({ uid, home, members }) => ({
    uid,
    gid: uid,
    home,
    shell: NOLOGIN,
    locked: true,
    members: [...new Set(members)].toSorted(),
  }),
  read: readUsers,
  identity: (state) => state,
  apply: applyUsers,
  clear: async (target, names) => {
    await changeByPerl(target, CLEAR_USERS, names.map((name) => `${name}\0`).join(""));
  },
  showSpec: (spec) => show(unixUserType.desired(spec, () => "")),
  showState: show,
};

/** A unix user of a given number, for one site. @throws HW_INPUT_INVALID */
export function unixUser(input: UnixUserInput): Declared {
  return declare(unixUserType, input, undefined);
}

function show({ uid, gid, home, shell, locked, members }: UnixUserState): string {
  const group = gid === null ? "without a group of its own" : `gid ${gid}`;
  const also = members.length === 0 ? "" : `, members of its group: ${members.join(", ")}`;
  return `uid ${uid}, ${group}, home ${home}, shell ${shell}, ${locked ? "locked" : "not locked"}${also}`;
}

function format(state: UnixUserState | null): string {
  if (state === null) return "-";
  const { uid, gid, locked, home, shell, members } = state;
  return [uid, gid ?? "", locked ? 1 : 0, home, shell, members.join(",")].join(":");
}

export function parseUser(line: string): UnixUserState | null {
  const [uid, gid, locked, home, shell, members] = line.split(":");
  if (members === undefined) return null;
  return {
    uid: Number(uid),
    gid: gid === "" ? null : Number(gid),
    home: home ?? "",
    shell: shell ?? "",
    locked: locked === "1",
    members: members === "" ? [] : members.split(","),
  };
}

async function readUsers(target: Target, names: readonly string[]): Promise<Map<string, UnixUserState>> {
  const states = new Map<string, UnixUserState>();
  if (names.length === 0) return states;
  const { stdout } = await askPerl(target, READ_USERS, names.map((name) => `${name}\0`).join(""));
  const lines = stdout.toString("utf8").split("\0");
  if (lines.length !== names.length + 2 || lines.at(-2) !== "end") {
    const message = `The users of ${target.server.name} could not be read: the answer was incomplete. Nothing was changed.`;
    throw new HostwrightError("HW_COMMAND_FAILED", message, { server: target.server.name, retryable: true });
  }
  names.forEach((name, index) => {
    const state = parseUser(lines[index] ?? "");
    if (state !== null) states.set(name, state);
  });
  return states;
}

const NEW_NUMBER = "Choose another name or number for the user, or remove what holds it.";

const FAILURES: Failures = {
  taken: { code: "HW_RESOURCE_FOREIGN", says: (key, detail) => `${key}: ${detail}`, remedy: NEW_NUMBER },
  nomember: {
    code: "HW_PREREQUISITE_MISSING",
    says: (key, detail) => `${key}: there is no user ${detail} to be a member of its group`,
    remedy: "Install what brings that user, or declare it.",
  },
  skipped: { code: "HW_RESOURCE_FOREIGN", says: (key) => `${key}: waits for the others` },
  failed: { code: "HW_COMMAND_FAILED", says: (key, detail) => `${key}: ${detail}` },
  busy: { code: "HW_RESOURCE_CHANGED", says: (key) => `${key}: processes of this user are running` },
  changed: { code: "HW_RESOURCE_CHANGED", says: (key) => `${key}: it is not what it was when it was read` },
};

async function applyUsers(target: Target, changes: readonly Change<UnixUserState>[]): Promise<void> {
  if (changes.length === 0) return;
  const fields = changes.flatMap(({ key, before, after }) => [key, format(before), format(after)]);
  const input = [...fields, "end"].map((field) => `${field}\0`).join("");
  const { stdout } = await changeByPerl(target, APPLY_USERS, input, { timeoutMs: 300_000 });
  reportOutcomes(
    target.server,
    changes.map((change) => change.key),
    stdout,
    FAILURES,
  );
}
