import {
  listeningAddress,
  webHeadAddress,
  type DatabaseBinding,
  type BindingRequest,
  type DatabaseRole,
  type Declared,
  type ServerView,
} from "@hostwright/core/plugin";
import { mysqlAccount } from "./account-type.ts";
import { copy } from "./copy.ts";
import { mysqlDatabase } from "./database-type.ts";
import { moving } from "./moving.ts";
import type { MysqlOptions } from "./options.ts";
import { serverResources } from "./server.ts";

const optionsOf = (server: ServerView): MysqlOptions => server.service.options as MysqlOptions;

/** One database, and one account for each place that the site's PHP logs in from. Both are named by the site's id. */
function site({ siteId, password, webHeads }: BindingRequest, server: ServerView): readonly Declared[] {
  const { charset, collation, flavour } = optionsOf(server);
  const hosts = webHeads.map((head) => (head === "local" ? "localhost" : webHeadAddress(head)));
  const account = { user: siteId, password, flavour, database: siteId };
  return [
    mysqlDatabase({ name: siteId, charset, collation }),
    ...[...new Set(hosts)].map((host) => mysqlAccount({ ...account, host })),
  ];
}

/** @throws HW_PREREQUISITE_MISSING when a web head elsewhere needs a server that listens on its socket only. */
function binding(
  { siteId, password }: BindingRequest,
  server: ServerView,
  fromAddress: string | null,
): DatabaseBinding {
  const { listen, port, socket } = optionsOf(server);
  const login = { protocol: "mysql", name: siteId, user: siteId, password };
  if (fromAddress === null) return { ...login, host: "localhost", port: null, socket };
  return { ...login, host: listeningAddress(server, listen, fromAddress), port, socket: null };
}

export const role: DatabaseRole = { protocol: "mysql", server: serverResources, site, binding, copy, moving };
