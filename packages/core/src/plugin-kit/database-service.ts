import { isIP } from "node:net";
import * as z from "zod";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Reference } from "../model/text.ts";
import type { Problem } from "../contracts/problem.ts";
import type { ServerView } from "../contracts/views.ts";

/** Of databases and their accounts, as any server takes them without quoting; sites' are their ids. */
export const DatabaseName: z.ZodType<string> = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,31}$/, "letters, digits and _, at most 32");

/** An account's password in a spec. */
export const PasswordReference: z.ZodType<Reference> = z.strictObject({
  ref: z.literal("secret"),
  id: z.string().min(1),
  label: z.string(),
  quote: z.literal("none").exactOptional(),
  generate: z.literal("password").exactOptional(),
});

/** Options with their defaults, from the interface of what may be given: the schema gives all of them. */
export type WithDefaults<Input> = {
  readonly [Name in keyof Input]-?: Exclude<Input[Name], undefined> extends (infer Element)[]
    ? readonly Element[]
    : Exclude<Input[Name], undefined>;
};

/** An option: a TCP port. */
export const Port: z.ZodType<number, number> = z.int().min(1).max(65_535);

/** An option: IP addresses to listen on for web heads on other machines. Default: none. */
export const ListenAddresses: z.ZodType<readonly string[], string[] | undefined> = z
  .array(z.string().refine((address) => isIP(address) !== 0, "an IP address"))
  .default([]);

/**
 * Address at which a web head on another machine reaches a database server: one of those that it listens on, else the
 * server's first. @throws HW_PREREQUISITE_MISSING where it listens on none
 */
export function listeningAddress(view: ServerView, listen: readonly string[], webHead: string): string {
  const host = view.addresses.find((address) => listen.includes(address)) ?? view.addresses[0];
  if (listen.length > 0 && host !== undefined) return host;
  throw new HostwrightError(
    "HW_PREREQUISITE_MISSING",
    `The database server on ${view.name} listens for its own machine only: ${webHead} cannot reach it. Nothing was changed.`,
    {
      server: view.name,
      remedy: `Declare addresses for it: ${view.service.type}.service({ listen: ["${view.addresses[0] ?? "an address of the server"}"] }).`,
    },
  );
}

/** The problem, where `is` tells that there is one. */
export function problemIf(is: boolean, message: string, remedy: string): readonly Problem[] {
  return is ? [{ message, remedy }] : [];
}

/** The problem of a service whose packages are not there. */
export function notInstalled(title: string, packages: readonly string[]): Problem {
  return {
    message: `${title} is not installed`,
    remedy: `Run the task \`prepare\`, or \`apt-get install ${packages.join(" ")}\`.`,
  };
}

/**
 * The lines of a client that prints a name, a tab and a value on each: all values of a name, in their order.
 */
export function tabbedValues(output: string): (name: string) => readonly string[] {
  const rows = output.split("\n").map((line) => line.split("\t"));
  return (name) => rows.filter(([kind]) => kind === name).map(([, value = ""]) => value);
}

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "localhost", ""]);

/**
 * The problem of a database server that others reach although none was declared to. `binds` is its own setting, addresses
 * with commas between; `setting` is what closes it: `bind-address = 127.0.0.1`.
 */
export function undeclaredListening(
  view: ServerView,
  listen: readonly string[],
  binds: string,
  setting: string,
): readonly Problem[] {
  const open = binds.split(",").some((address) => !LOOPBACK.has(address.trim()));
  return problemIf(
    open && listen.length === 0,
    `it listens on ${binds}, though no address is declared for it`,
    `If web heads need it: ${view.service.type}.service({ listen: [...] }). Otherwise set ${setting} and restart it.`,
  );
}
