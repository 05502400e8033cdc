import type { Change, Resolve, Script, Target } from "@hostwright/core/plugin";
import { redis } from "@hostwright/service-redis";
import { withRole, withTypes, type AnyService, type Mutant } from "./mutant.ts";

type CacheMutant = Mutant<AnyService>;
interface Account {
  readonly user: string;
  readonly rules: string;
}

/** Accounts with other rules, which the broken plugin itself takes for right. */
const withRules = (change: (rules: string, user: string) => string, plugin: AnyService = redis): AnyService =>
  withTypes(plugin, (type) => ({
    desired: (spec: unknown, resolve: Resolve) => {
      const { user, rules } = type.desired(spec, resolve) as Account;
      return { user, rules: change(rules, user) };
    },
  }));

/** Scripts in which a text is another one. */
const withScripts = (text: string, instead: string): AnyService => {
  const changed = (script: Script): Script => {
    if (!script.script.includes(text)) throw new Error(`no script holds ${text}`);
    return { ...script, script: script.script.replaceAll(text, instead) };
  };
  return withTypes(redis, (type) => ({
    apply: async (target: Target, changes: readonly Change[]) =>
      type.apply({ ...target, mutate: async (script) => target.mutate(changed(script)) }, changes),
  }));
};

const ISOLATION = "a site reaches what begins with its own prefix only";

/** Broken on a host. */
export const cacheHostMutants: readonly CacheMutant[] = [
  {
    name: "accounts that reach every key",
    caughtBy: ISOLATION,
    plugin: withRules((rules, user) => rules.replace(`~${user}:*`, "~*")),
  },
  {
    name: "prefixes that begin one another",
    caughtBy: ISOLATION,
    plugin: withRole(
      withRules((rules, user) => rules.replace(`~${user}:*`, `~${user}*`)),
      "cache",
      (role) => ({ binding: (...of) => ({ ...role.binding(...of), prefix: of[0].siteId }) }),
    ),
  },
  {
    name: "accounts that may do everything with their keys",
    caughtBy: ISOLATION,
    plugin: withRules((rules) => rules.replace("@site", "+@all")),
  },
  {
    name: "accounts that ask for no password",
    caughtBy: "no other password is taken",
    plugin: withRules((rules) => rules.replace(/ #[0-9a-f]{64}/, "").replace("on ", "on nopass ")),
  },
  {
    name: "a removal that leaves what was kept",
    caughtBy: "a removal leaves nothing of what a site had stored",
    plugin: withScripts("redis.call('UNLINK',k)", "redis.call('EXISTS',k)"),
  },
  {
    name: "accounts that only memory holds",
    caughtBy: "a restart of the server keeps every account",
    plugin: withScripts("&& mv /var/lib/redis/hostwright.acl.new", "&& true"),
  },
  {
    name: "a stopped server that is a success",
    caughtBy: "a stopped server is told as such",
    plugin: withScripts("echo stopped", "true"),
  },
  {
    name: "accounts without what cannot be sent",
    caughtBy: "any password arrives as it is",
    plugin: withTypes(redis, (type) => ({
      desired: (spec: unknown, resolve: Resolve) =>
        type.desired(spec, (reference) => resolve(reference).replaceAll("\0", "") || "x") as unknown,
    })),
  },
  {
    name: "a hostile name that is made a good one",
    caughtBy: "a name that could mean something else",
    plugin: withRole(redis, "cache", (role) => ({
      site: (request, server) =>
        role.site(
          { ...request, siteId: `s${request.siteId.replaceAll(/\W/g, "").toLowerCase()}`.slice(0, 20) },
          server,
        ),
    })),
  },
];

/** Judged without a host. */
export const cacheMutants: readonly CacheMutant[] = [
  {
    name: "a way to a cache that nobody else can reach",
    caughtBy: "a web head elsewhere is refused",
    plugin: withRole(redis, "cache", (role) => ({
      binding: (request, server, from) => ({ ...role.binding(request, server, null), host: from ?? "localhost" }),
    })),
  },
  {
    name: "a binding with another password",
    caughtBy: "the binding leads to",
    plugin: withRole(redis, "cache", (role) => ({
      binding: (request, server, from) => ({
        ...role.binding(request, server, from),
        password: { ref: "secret", id: "site/other/cache-password", label: "" },
      }),
    })),
  },
  {
    name: "options that take anything",
    caughtBy: "unknown options are refused",
    plugin: {
      ...redis,
      services: (redis.services ?? []).map((service) => ({
        ...service,
        options: {
          ...service.options,
          schema: { safeParse: () => ({ success: true }), parse: () => ({ port: 6379, listen: [] }) } as never,
        },
      })),
    },
  },
];
