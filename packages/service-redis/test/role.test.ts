import {
  referencesOf,
  showText,
  type FileSpec,
  type Reference,
  type ServerView,
  type Target,
} from "@hostwright/core/plugin";
import { describe, expect, test } from "vitest";
import { accountType } from "../src/account-type.ts";
import { RedisOptions, type RedisOptionsInput } from "../src/options.ts";
import { problems } from "../src/problems.ts";
import { role } from "../src/role.ts";
import { renderDropIn } from "../src/server.ts";

const password: Reference = {
  ref: "secret",
  id: "site/s1aaaaaaaa/cache-password",
  label: "cache password of a.example",
};
const request = { siteId: "s1aaaaaaaa", domain: "a.example", password, webHeads: ["local"] };

function view(options: RedisOptionsInput = {}, facts: ServerView["facts"] = { version: "8.0.2" }): ServerView {
  const service = { name: "redis", kind: "cache", type: "redis", options: RedisOptions.parse(options) };
  return {
    id: "v1",
    name: "web1",
    addresses: ["10.0.0.1", "10.0.0.2"],
    services: [service],
    service,
    facts,
    peers: [],
  };
}

describe("how a site reaches its cache", () => {
  test("on the same server by the unix socket, elsewhere by an address that is listened on", () => {
    const login = { protocol: "redis", user: "s1aaaaaaaa", password, prefix: "s1aaaaaaaa:" };
    expect(role.binding(request, view(), null)).toMatchObject({
      ...login,
      socket: "/run/redis/redis-server.sock",
      port: null,
    });
    const apart = view({ listen: ["10.0.0.2"], port: 6400 });
    expect(role.binding(request, apart, "10.0.0.9")).toEqual({ ...login, host: "10.0.0.2", port: 6400, socket: null });
  });

  test("not at all where no such address is declared", () => {
    expect(() => role.binding(request, view(), "10.0.0.9")).toThrow(
      expect.objectContaining({ code: "HW_PREREQUISITE_MISSING", message: expect.stringContaining("web1") }),
    );
  });
});

describe("an account", () => {
  const resolve = (): string => "hush";

  test("reaches keys of its own name only, and is shown without its password", () => {
    const { rules } = accountType.desired({ user: "s1aaaaaaaa", password }, resolve);
    expect(rules.match(/[~&%]\S+/g)).toEqual(["~s1aaaaaaaa:*"]);
    expect(rules).not.toContain("hush");
    const shown = [
      accountType.showSpec({ user: "s1aaaaaaaa", password }),
      accountType.showState({ user: "s1aaaaaaaa", rules }),
    ];
    expect(shown[0]).toContain("<cache password of a.example>");
    for (const text of shown) expect(text).not.toMatch(/hush|#[0-9a-f]{64}/);
  });

  test.each(["default", "hostwright", "hostwright-site", "a b", "a\n", "A", "", "~*", "a:b", "9"])(
    "is refused the name %j",
    (user) => {
      expect(accountType.schema.safeParse({ user, password }).success).toBe(false);
    },
  );

  test.each(["", "a\0b", "\ud800"])("is refused the password %j, which no program could log in with", (value) => {
    expect(() => accountType.desired({ user: "s1aaaaaaaa", password }, () => value)).toThrow(
      expect.objectContaining({ code: "HW_QUOTE_REFUSED" }),
    );
  });

  test("may be changed again later where Redis does not answer", async () => {
    const said = { exitCode: 0, signal: null, stdout: Buffer.from("stopped\n"), stderr: Buffer.alloc(0) };
    const target = { server: { name: "web1" }, mutate: async () => Promise.resolve(said) } as unknown as Target;
    const change = { key: "s1aaaaaaaa", before: null, after: { user: "s1aaaaaaaa", rules: "on" } };
    await expect(accountType.apply(target, [change])).rejects.toMatchObject({
      code: "HW_DATABASE_UNREACHABLE",
      retryable: true,
      server: "web1",
    });
  });
});

describe("the server", () => {
  test("has an administrator's password as a reference, and no account without one", () => {
    const files = role
      .server(view())
      .filter(({ type }) => type === "file")
      .map(({ spec }) => spec as FileSpec);
    const base = files.find(({ path }) => path.endsWith("base.acl"));
    expect(showText(base?.content ?? "")).toMatch(
      /^user default reset off\nuser hostwright-site reset off -@all [^\n]*\nuser hostwright reset on ><redis password of web1> ~\* &\* \+@all\n$/,
    );
    expect(base === undefined ? [] : referencesOf(base.content).map(({ id }) => id)).toEqual(["server/v1/redis-admin"]);
    expect([base?.owner, base?.group, base?.mode]).toEqual(["root", "redis", 0o640]);
  });

  test("listens where it was told to, besides the loopback", () => {
    expect(renderDropIn(RedisOptions.parse({ listen: ["10.0.0.2"], memoryMegabytes: 64 }))).toMatch(
      /--bind 127\.0\.0\.1 -::1 10\.0\.0\.2 --protected-mode no --maxmemory 64mb /,
    );
    for (const listen of ["0.0.0.0 --aclfile /x", "host", "*"])
      expect(RedisOptions.safeParse({ listen: [listen] }).success).toBe(false);
  });

  test("is too old before version 7, and missing without one", () => {
    expect(problems(view())).toEqual([]);
    expect(problems(view({}, { version: "6.0.16" }))[0]?.message).toContain("6.0.16");
    expect(problems(view({}, { version: null }))[0]?.remedy).toContain("redis-server");
  });
});
