import {
  listeningAddress,
  webHeadAddress,
  type DatabaseBinding,
  type DatabaseRequest,
  type DatabaseRole,
  type Declared,
  type ServerView,
} from "@hostwright/core";
import { isIP } from "node:net";
import { postgresAccess } from "./access-type.ts";
import { postgresAccount } from "./account-type.ts";
import { copy } from "./copy.ts";
import { postgresDatabase } from "./database-type.ts";
import type { PostgresOptions } from "./options.ts";
import { serverResources, SITES_FOLDER } from "./server.ts";

const optionsOf = (server: ServerView): PostgresOptions => server.service.options as PostgresOptions;

/** One role, a database of the same name that it owns, and from where it may log in besides the loopback. */
function site({ siteId, password, webHeads }: DatabaseRequest, server: ServerView): readonly Declared[] {
  const { locale, extensions } = optionsOf(server);
  const heads = new Set(webHeads.filter((head) => head !== "local").map(rangeOf));
  const rules = [...heads].toSorted().map((head) => `host ${siteId} ${siteId} ${head} scram-sha-256`);
  return [
    postgresAccount({ user: siteId, password }),
    postgresDatabase({ name: siteId, owner: siteId, locale, extensions }),
    ...(rules.length === 0 ? [] : [postgresAccess(`${SITES_FOLDER}/${siteId}.conf`, rules)]),
  ];
}

/** As the server's rules name one machine. @throws HW_INPUT_INVALID for what is no address. */
function rangeOf(webHead: string): string {
  const host = webHeadAddress(webHead);
  const family = isIP(host);
  return family === 0 ? host : `${host}/${family === 4 ? 32 : 128}`;
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
  return { ...login, host: listeningAddress(server, listen, fromAddress) };
}

export const role: DatabaseRole = { protocol: "postgres", server: serverResources, site, binding, copy };
