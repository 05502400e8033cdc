import {
  listeningAddress,
  webHeadAddress,
  type DatabaseBinding,
  type BindingRequest,
  type DatabaseRole,
  type Declared,
  type ServerView,
} from "@hostwright/core/plugin";
import { isIP } from "node:net";
import { postgresAccess } from "./access-type.ts";
import { postgresAccount } from "./account-type.ts";
import { copy } from "./copy.ts";
import { postgresDatabase } from "./database-type.ts";
import { moving } from "./moving.ts";
import { optionsOf } from "./options.ts";
import { serverResources, SITES_FOLDER } from "./server.ts";

const LOOPBACK = "127.0.0.1";

/**
 * One role, a database of the same name that it owns, and from where it may log in to that one. It logs in to no other,
 * such as `postgres`, which by PostgreSQL's defaults is everybody's; and not over the unix socket, where no password is
 * asked for.
 */
function site({ siteId, password, webHeads }: BindingRequest, server: ServerView): readonly Declared[] {
  const { locale, extensions } = optionsOf(server);
  const heads = [...new Set(webHeads.map(rangeOf))].toSorted();
  const rules = [
    ...heads.map((head) => `host ${siteId} ${siteId} ${head} scram-sha-256`),
    `host all ${siteId} all reject`,
    `local all ${siteId} reject`,
  ];
  return [
    postgresAccount({ user: siteId, password }),
    postgresDatabase({ name: siteId, owner: siteId, locale, extensions }),
    postgresAccess(`${SITES_FOLDER}/${siteId}.conf`, rules),
  ];
}

/** As the server's rules name one machine. @throws HW_INPUT_INVALID for what is no address. */
function rangeOf(webHead: string): string {
  const host = webHead === "local" ? LOOPBACK : webHeadAddress(webHead);
  const family = isIP(host);
  return family === 0 ? host : `${host}/${family === 4 ? 32 : 128}`;
}

/** @throws HW_PREREQUISITE_MISSING when a web head elsewhere needs a server that listens on its loopback only. */
function binding(
  { siteId, password }: BindingRequest,
  server: ServerView,
  fromAddress: string | null,
): DatabaseBinding {
  const { listen, port } = optionsOf(server);
  const login = { protocol: "postgres", name: siteId, user: siteId, password, port, socket: null };
  if (fromAddress === null) return { ...login, host: LOOPBACK };
  return { ...login, host: listeningAddress(server, listen, fromAddress) };
}

export const role: DatabaseRole = { protocol: "postgres", server: serverResources, site, binding, copy, moving };
