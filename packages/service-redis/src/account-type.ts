import { createHash } from "node:crypto";
import {
  HostwrightError,
  PasswordReference,
  RANK,
  type Change,
  type CommandResult,
  type Declared,
  type Reference,
  type ResourceType,
  type Target,
} from "@hostwright/core/plugin";
import * as z from "zod";
import { ADMIN, COMMANDS, OF_A_SITE } from "./places.ts";
import { APPLY, READ, SAVE } from "./scripts.ts";

/** An account whose keys all begin with its name and a colon. */
export interface Account {
  readonly user: string;
  readonly password: Reference;
}

/** As `ACL LIST` tells it behind the name, with one word for the commands of a site; the hash of its password makes it a secret. */
export interface AccountState {
  readonly user: string;
  readonly rules: string;
}

/** @throws HW_QUOTE_REFUSED for what no program can log in with */
function rulesOf(user: string, password: string): string {
  if (password === "" || password.includes("\0") || !password.isWellFormed()) {
    const message = `A password of ${password.length} characters cannot be given to ${user}: it is empty, holds a zero byte or is no text. Nothing was changed.`;
    throw new HostwrightError("HW_QUOTE_REFUSED", message);
  }
  const hash = createHash("sha256").update(password).digest("hex");
  return `on sanitize-payload #${hash} ~${user}:* resetchannels ${OF_A_SITE}`;
}

const schema: z.ZodType<Account> = z.strictObject({
  user: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,31}$/, "letters and digits, at most 32")
    .refine((user) => !["default", ADMIN].includes(user), "a name that is not the server's own"),
  password: PasswordReference,
});

function checked(target: Target, result: CommandResult): string {
  if (result.exitCode === 0) return result.stdout.toString();
  throw new HostwrightError(
    "HW_COMMAND_FAILED",
    `Redis on ${target.server.name} refused: ${result.stderr.trim().slice(0, 300)}.`,
    { server: target.server.name, remedy: "Look at `systemctl status redis-server` there, then try again." },
  );
}

async function read(target: Target, keys: readonly string[]): Promise<Map<string, AccountState>> {
  if (keys.length === 0) return new Map();
  const list = checked(target, await target.server.script({ script: READ, args: [], signal: target.signal }));
  const all = [...list.matchAll(/^user (\S+) (.*)$/gm)].map(([, user = "", rules = ""]) => ({ user, rules }));
  return new Map(all.filter(({ user }) => keys.includes(user)).map((state) => [state.user, state]));
}

function unreachable({ server: { name } }: Target): HostwrightError {
  return new HostwrightError("HW_DATABASE_UNREACHABLE", `Redis on ${name} does not answer.`, {
    server: name,
    retryable: true,
    remedy: "Look at `systemctl status redis-server` there; a verify of the server starts it.",
  });
}

async function apply(target: Target, changes: readonly Change<AccountState>[]): Promise<void> {
  const lines = changes.flatMap(({ key, before, after }) => [key, before?.rules ?? "-", after?.rules ?? "-"]);
  const stdin = lines.map((line) => `${line}\n`).join("");
  const said = checked(target, await target.mutate({ script: APPLY, args: [COMMANDS], stdin }));
  if (said.trim() === "stopped") throw unreachable(target);
  const changed = /^changed (\S+)$/m.exec(said)?.[1];
  if (changed === undefined) return;
  throw new HostwrightError(
    "HW_RESOURCE_CHANGED",
    `The Redis account ${changed} on ${target.server.name} is not what it was any more: it was left alone.`,
    { server: target.server.name, data: { key: changed } },
  );
}

export const accountType: ResourceType<Account, AccountState> = {
  name: "redis-account",
  schema,
  // The service must run before it has accounts, and PHP starts with its account.
  rank: RANK.unit + 1,
  removal: "delete",
  key: ({ user }) => user,
  desired: ({ user, password }, resolve) => ({ user, rules: rulesOf(user, resolve(password)) }),
  read,
  identity: (state) => state,
  apply,
  clear: async (target) => void checked(target, await target.mutate({ script: SAVE, args: [] })),
  showSpec: ({ user, password }) => show(rulesOf(user, "shown"), `<${password.label}>`),
  showState: ({ rules }) => show(rules, "[hash]"),
};

function show(rules: string, password: string): string {
  return rules.replaceAll(/#[0-9a-f]{64}/g, password).replace(OF_A_SITE, COMMANDS);
}

export function redisAccount(spec: Account): Declared {
  return { type: accountType.name, spec };
}
