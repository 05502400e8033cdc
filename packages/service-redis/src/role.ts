import {
  HostwrightError,
  type CacheBinding,
  type BindingRequest,
  type CacheRole,
  type ServerView,
} from "@hostwright/core/plugin";
import { redisAccount } from "./account-type.ts";
import type { RedisOptions } from "./options.ts";
import { SOCKET } from "./places.ts";
import { serverResources } from "./server.ts";

/** @throws HW_PREREQUISITE_MISSING when a web head elsewhere needs a server that listens on its loopback only. */
function binding({ siteId, password }: BindingRequest, server: ServerView, fromAddress: string | null): CacheBinding {
  const { listen, port } = server.service.options as RedisOptions;
  const login = { protocol: "redis", user: siteId, password, prefix: `${siteId}:` };
  if (fromAddress === null) return { ...login, host: "localhost", port: null, socket: SOCKET };
  const host = server.addresses.find((address) => listen.includes(address));
  if (host !== undefined) return { ...login, host, port, socket: null };
  throw new HostwrightError(
    "HW_PREREQUISITE_MISSING",
    `The cache on ${server.name} listens on no address at which ${fromAddress} reaches it. Nothing was changed.`,
    {
      server: server.name,
      remedy: `Declare one: redis.service({ listen: ["${server.addresses[0] ?? "an address of the server"}"] }).`,
    },
  );
}

export const role: CacheRole = {
  protocol: "redis",
  server: serverResources,
  site: ({ siteId, password }) => [redisAccount({ user: siteId, password })],
  binding,
};
