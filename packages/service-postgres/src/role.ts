import {
  HostwrightError,
  type DatabaseBinding,
  type DatabaseRequest,
  type DatabaseRole,
  type Declared,
  type ServerView,
} from "@hostwright/core";
import { postgresAccount } from "./account-type.ts";
import { postgresDatabase } from "./database-type.ts";
import type { PostgresOptions } from "./options.ts";
import { serverResources } from "./server.ts";

const optionsOf = (server: ServerView): PostgresOptions => server.service.options as PostgresOptions;

/** One role, and a database of the same name that it owns. */
function site({ siteId, password }: DatabaseRequest, server: ServerView): readonly Declared[] {
  const { locale, extensions } = optionsOf(server);
  return [
    postgresAccount({ user: siteId, password }),
    postgresDatabase({ name: siteId, owner: siteId, locale, extensions }),
  ];
}

/** @throws HW_PREREQUISITE_MISSING when a web head elsewhere needs a server that listens on its loopback only. */
function binding(
  { siteId, password }: DatabaseRequest,
  server: ServerView,
  fromAddress: string | null,
): DatabaseBinding {
  const { listen, port } = optionsOf(server);
  const login = { protocol: "postgres", name: siteId, user: siteId, password, port, socket: null };
  // Debian's rules for the unix socket ask for the unix user, for the loopback they ask for the password.
  if (fromAddress === null) return { ...login, host: "127.0.0.1" };
  const host = server.addresses.find((address) => listen.includes(address)) ?? server.addresses[0];
  if (listen.length === 0 || host === undefined) {
    throw new HostwrightError(
      "HW_PREREQUISITE_MISSING",
      `The database server on ${server.name} listens on its loopback only: ${fromAddress} cannot reach it. Nothing was changed.`,
      {
        server: server.name,
        mend: `Declare addresses for it: postgres.service({ listen: ["${server.addresses[0] ?? "an address of the server"}"] }).`,
      },
    );
  }
  return { ...login, host };
}

export const role: DatabaseRole = { protocol: "postgres", server: serverResources, site, binding };
