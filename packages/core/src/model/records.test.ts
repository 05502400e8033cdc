import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { parseInput } from "./parse.ts";
import { local, PlatformSchema, ServerSchema, SiteLimitsSchema, ssh } from "./records.ts";
import { secret } from "./secret.ts";

const FINGERPRINT = `SHA256:${"A".repeat(43)}`;
const connect = ssh({ host: "web1.example", hostKey: FINGERPRINT, privateKey: secret("hush") });

function refused(schema: typeof ServerSchema | typeof PlatformSchema, value: unknown): string {
  try {
    parseInput(schema as typeof ServerSchema, value, "server");
    return "accepted";
  } catch (error) {
    expect(error).toMatchObject({ code: "HW_INPUT_INVALID" });
    return (error as Error).message;
  }
}

describe("parsing at the boundary", () => {
  test("defaults are filled in", () => {
    const parsed = parseInput(ServerSchema, { name: "web1", connect }, "server");
    expect(parsed.connect).toMatchObject({ type: "ssh", port: 22, user: "root", hostKey: FINGERPRINT });
    expect(parseInput(SiteLimitsSchema, {}, "limits")).toEqual({
      uploadMegabytes: 64,
      requestSeconds: 60,
      memoryMegabytes: 256,
      phpWorkers: 5,
    });
  });

  test("every wrong field is named at once, and no value is repeated", () => {
    const message = refused(ServerSchema, { name: "Web 1", connect: { ...connect, port: 70_000, privateKey: "hush" } });
    expect(message).toContain("name:");
    expect(message).toContain("connect.port:");
    expect(message).toContain("connect.privateKey:");
    expect(message).not.toContain("hush");
    expect(message).not.toContain("70000");
  });

  test.each([
    [{ name: "web1", connect, color: "red" }, "color"],
    [{ name: "../etc", connect }, "name"],
    [{ name: "-rf", connect }, "name"],
    [{ name: "a".repeat(64), connect }, "name"],
    [{ name: "web1", connect: { ...connect, hostKey: [] } }, "connect.hostKey: at least one"],
    [{ name: "web1", connect: { ...connect, hostKey: "MD5:00" } }, "connect.hostKey: "],
    [{ name: "web1", connect: { ...connect, hostKey: [FINGERPRINT, "MD5:00"] } }, "connect.hostKey.1: "],
    [{ name: "web1", connect: { ...connect, hostKey: 22 } }, "connect.hostKey: a fingerprint"],
    [{ name: "web1", connect: { ...connect, user: "root; id" } }, "connect.user"],
    [{ name: "web1", connect: { type: "telnet" } }, "connect.type: made by ssh()"],
    ["web1", "expected object"],
  ])("%j is refused for %s", (value, field) => {
    expect(refused(ServerSchema, value)).toContain(field);
  });

  test.each([
    "srv/web",
    "/srv/../etc",
    "/srv/./web",
    "/srv/we b",
    "/srv/web/",
    "/srv/$(id)",
    "/srv/a;b",
    "/",
    "/srv/web\n",
  ])("a release's folder %j is refused", (root) => {
    expect(refused(PlatformSchema, { name: "wp", root })).toContain("root");
  });

  test.each(["/srv/platforms/wp-6.8", "/srv/a/b_c+d@2"])("a release's folder %s is taken", (root) => {
    expect(parseInput(PlatformSchema, { name: "wp", root }, "platform").root).toBe(root);
  });

  test("a secret made by another copy of core is taken", () => {
    const foreign = { reveal: () => "hush", toJSON: () => "[secret]" };
    expect(refused(ServerSchema, { name: "web1", connect: { ...connect, privateKey: foreign } })).toBe("accepted");
  });
});

describe("connections", () => {
  test("one host key or several stay as they were given; what is not given is left to the default", () => {
    expect(connect).not.toHaveProperty("port");
    const keys = [FINGERPRINT, `SHA256:${"B".repeat(43)}`];
    expect(connect).toMatchObject({ hostKey: FINGERPRINT });
    expect(ssh({ host: "h", hostKey: keys, privateKey: secret("k"), port: 2222, user: "ops" })).toMatchObject({
      hostKey: keys,
      port: 2222,
      user: "ops",
    });
    expect(local()).toEqual({ type: "local" });
  });

  test("a secret shows itself in no print", () => {
    const key = secret("hush");
    for (const shown of [
      String(key),
      JSON.stringify({ key }),
      inspect(connect, { depth: 9 }),
      "".concat(key as unknown as string),
    ]) {
      expect(shown).toContain("[secret]");
      expect(shown).not.toContain("hush");
    }
    expect(key.reveal()).toBe("hush");
  });
});
