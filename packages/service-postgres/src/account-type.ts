import {
  DatabaseName,
  defineDatabaseResource,
  PasswordReference,
  RANK,
  type Declared,
  type Reference,
  type ResourceType,
} from "@hostwright/core/plugin";
import * as z from "zod";
import { accountStates } from "./account-query.ts";
import { accountStatements } from "./account-statements.ts";
import type { AccountState } from "./account-state.ts";
import { scramVerifier } from "./password.ts";
import { driver } from "./session.ts";

/** A role that may log in and owns what it makes, with no other right. */
export interface Account {
  readonly user: string;
  readonly password: Reference;
}

const OF_A_SITE = ["INHERIT", "LOGIN"];

export const accountType: ResourceType<Account, AccountState> = defineDatabaseResource({
  name: "postgres-account",
  schema: z.strictObject({ user: DatabaseName, password: PasswordReference }),
  // A database has an owner from the first moment on.
  rank: RANK.database - 1,
  removal: "clean-up",
  driver,
  what: "role",
  key: ({ user }) => user,
  desired: ({ user, password }, resolve) => ({
    user,
    verifier: scramVerifier(user, resolve(password)),
    attributes: OF_A_SITE,
    memberOf: [],
    connections: -1,
    validUntil: "infinity",
  }),
  states: accountStates,
  identity: (state) => state,
  statements: accountStatements,
  showSpec: ({ password }) => show(`<${password.label}>`, OF_A_SITE, []),
  showState: ({ verifier, attributes, memberOf }) =>
    show(verifier === null ? "no password" : "[hash]", attributes, memberOf),
});

function show(password: string, attributes: readonly string[], memberOf: readonly string[]): string {
  const lines = [`login: scram-sha-256 ${password}`, `role: ${attributes.join(", ")}`];
  return [...lines, ...memberOf.map((name) => `member of: ${name}`)].join("\n");
}

export function postgresAccount(spec: Account): Declared {
  return { type: accountType.name, spec };
}
