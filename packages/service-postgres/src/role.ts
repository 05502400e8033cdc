import {
  HostwrightError,
  type DatabaseBinding,
  type DatabaseRequest,
  type DatabaseRole,
  type Declared,
  type ServerView,
} from "@hostwright/core";
import { isIP } from "node:net";
import { postgresAccess } from "./access-type.ts";
import { postgresAccount } from "./account-type.ts";
import { postgresDatabase } from "./database-type.ts";
import type { PostgresOptions } from "./options.ts";
import { serverResources, SITES_FOLDER } from "./server.ts";

const optionsOf = (server: ServerView): PostgresOptions => server.service.options as PostgresOptions;

/** One role, a database of the same name that it owns, and from where it may log in besides the loopback. */
function site({ siteId, password, webHeads }: DatabaseRequest, server: ServerView): readonly Declared[] {
  const { locale, extensions } = optionsOf(server);
  const heads = [...new Set(webHeads)].filter((head) => head !== "local").toSorted();
  const rules = heads.map((head) => `host ${siteId} ${siteId} ${rangeOf(head)} scram-sha-256`);
  return [
    postgresAccount({ user: siteId, password }),
    postgresDatabase({ name: siteId, owner: siteId, locale, extensions }),
    ...(rules.length === 0 ? [] : [postgresAccess(`${SITES_FOLDER}/${siteId}.conf`, rules)]),
  ];
}

/** As the server's rules name one machine. @throws HW_INPUT_INVALID for what is no address. */
function rangeOf(webHead: string): string {
  const family = isIP(webHead);
  if (family !== 0) return `${webHead}/${family === 4 ? 32 : 128}`;
  if (/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(webHead)) return webHead;
  throw new HostwrightError(
    "HW_INPUT_INVALID",
    `The web head's address "${webHead.slice(0, 80)}" is neither an IP address nor a host name. Nothing was changed.`,
    { data: { field: "addresses" } },
  );
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
