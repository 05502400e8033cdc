import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Fingerprint, Host } from "./host.ts";
import { ANY_CHARACTER } from "../../../testing/src/any-character.ts";

function judged(schema: typeof Host, value: string): string {
  const result = schema.safeParse(value);
  return result.success ? `taken as ${result.data}` : result.error.issues.map(({ message }) => message).join("; ");
}

describe("a host", () => {
  test.each([
    ["root@10.0.0.1:22", ["`user`", "`port`"]],
    ["root@web1.example", ["`user`"]],
    ["web1.example:2222", ["`port`"]],
    ["[::1]:22", ["`port`"]],
    ["[::1]", ["without brackets"]],
    ["ssh://web1.example", ["URL"]],
    ["web1 .example", ["without blanks"]],
    ["web1.example\n", ["without blanks"]],
    ["10.0.0.0/24", ["no path or network"]],
    ["10.0.0.%", ["wildcard"]],
    ["fe80::1%eth0", ["zone"]],
    ["10.0.0.256", ["or an IP address"]],
    ["10.0.0", ["or an IP address"]],
    ["wéb.example", ["ASCII"]],
    ["-web", ["or an IP address"]],
    ["", ["a host name or IP address"]],
    ["a".repeat(256), ["255 characters"]],
  ])("%j is refused, and told where it belongs", (value, words) => {
    const message = judged(Host, value);
    for (const word of words) expect(message).toContain(word);
    expect(message).not.toMatch(/^taken/);
  });

  test.each([
    ["Web1.Example.", "web1.example"],
    ["web1", "web1"],
    ["10.0.0.1", "10.0.0.1"],
    ["FD00:0::1", "fd00::1"],
    ["::ffff:10.0.0.7", "10.0.0.7"],
    ["4.example", "4.example"],
  ])("%s is taken in one form", (value, form) => {
    expect(judged(Host, value)).toBe(`taken as ${form}`);
  });

  const label = fc.stringMatching(/^[a-zA-Z]([a-zA-Z0-9-]{0,10}[a-zA-Z0-9])?$/);
  const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join("."));
  const address = fc.oneof(name, fc.ipV4(), fc.ipV6());

  test("every name and address is taken, and its form is its own form", () => {
    fc.assert(
      fc.property(address, (value) => {
        const form = Host.parse(value);
        expect(Host.parse(form)).toBe(form);
        expect(form).toBe(form.toLowerCase());
      }),
    );
  });

  test("with a user or a port in it none is", () => {
    fc.assert(
      fc.property(fc.oneof(name, fc.ipV4()), label, fc.nat(99_999), (host, user, port) => {
        expect(judged(Host, `${user}@${host}`)).toContain("`user`");
        expect(judged(Host, `${host}:${port}`)).toContain("`port`");
      }),
    );
  });

  test("whatever is taken holds nothing but a name or an address", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: ANY_CHARACTER }), fc.string()), (value) => {
        const result = Host.safeParse(value);
        if (result.success) expect(result.data).toMatch(/^[a-z0-9.:-]{1,255}$/);
      }),
    );
  });
});

describe("a fingerprint", () => {
  const given = `SHA256:${"A".repeat(43)}`;

  test.each([
    [`${given}=`, "without padding"],
    [` ${given} root@web1 (ED25519)`, "without what follows"],
    [given.slice(0, -1), "not whole"],
    ["MD5:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff", "MD5"],
    ["00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff", "MD5"],
    ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI root@web1", "public key"],
    ["|1|x|y ssh-rsa AAAAB3NzaC1yc2E", "public key"],
    ["", "ssh-keygen -lf"],
  ])("%j is refused as what it is", (value, word) => {
    expect(judged(Fingerprint, value)).toContain(word);
  });

  test("as ssh-keygen prints it is taken, and any other text is not", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.string(), (digest, text) => {
        const print = `SHA256:${Buffer.from(digest).toString("base64").replace("=", "")}`;
        expect(judged(Fingerprint, print)).toBe(`taken as ${print}`);
        expect(judged(Fingerprint, text)).not.toMatch(/^taken/);
      }),
    );
  });
});
