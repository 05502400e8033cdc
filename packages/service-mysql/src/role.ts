import {
  HostwrightError,
  type DatabaseBinding,
  type DatabaseRequest,
  type DatabaseRole,
  type Declared,
  type ServerView,
} from "@hostwright/core";
import { mysqlAccount } from "./account-type.ts";
import { mysqlDatabase } from "./database-type.ts";
import { copy } from "./copy.ts";
import { accountHost } from "./host.ts";
import type { MysqlOptions } from "./options.ts";
import { pluginOf } from "./password.ts";
import { serverResources } from "./server.ts";

const optionsOf = (server: ServerView): MysqlOptions => server.service.options as MysqlOptions;

/** One database, and one account for each place that the site's PHP logs in from. Both are named by the site's id. */
function site({ siteId, password, webHeads }: DatabaseRequest, server: ServerView): readonly Declared[] {
  const { charset, collation, flavour } = optionsOf(server);
  const hosts = [...new Set(webHeads.map(accountHost))];
  return [
    mysqlDatabase({ name: siteId, charset, collation }),
    ...hosts.map((host) => mysqlAccount({ user: siteId, host, password, plugin: pluginOf(flavour), database: siteId })),
  ];
}

/** @throws HW_PREREQUISITE_MISSING when a web head elsewhere needs a server that listens on its socket only. */
function binding(
  { siteId, password }: DatabaseRequest,
  server: ServerView,
  fromAddress: string | null,
): DatabaseBinding {
  const { listen, port, socket } = optionsOf(server);
  const login = { protocol: "mysql", name: siteId, user: siteId, password };
  if (fromAddress === null) return { ...login, host: "localhost", port: null, socket };
  const host = server.addresses.find((address) => listen.includes(address)) ?? server.addresses[0];
  if (listen.length === 0 || host === undefined) {
    throw new HostwrightError(
      "HW_PREREQUISITE_MISSING",
      `The database server on ${server.name} listens on its unix socket only: ${fromAddress} cannot reach it. Nothing was changed.`,
      {
        server: server.name,
        mend: `Declare addresses for it: mysql.service({ listen: ["${server.addresses[0] ?? "an address of the server"}"] }).`,
      },
    );
  }
  return { ...login, host, port, socket: null };
}

export const role: DatabaseRole = { protocol: "mysql", server: serverResources, site, binding, copy };
