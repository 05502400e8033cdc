import { randomBytes } from "node:crypto";
import { assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { loadKeyring } from "./keyring.ts";
import { SecretBox } from "./sealing.ts";
import { secret } from "../model/secret.ts";
import { ANY_CHARACTER } from "../../../testing/src/any-character.ts";

const [one, two] = [randomBytes(32), randomBytes(32)];
const boxOf = (...keys: Buffer[]): SecretBox =>
  new SecretBox(loadKeyring({ key: secret(keys.map((key) => key.toString("base64")).join("\n")) }));
const unreadable = expect.objectContaining({ code: "HW_SECRET_UNREADABLE" });

describe("a sealed secret", () => {
  it("opens to exactly what was sealed, and is never the same twice", () => {
    const box = boxOf(one);
    assert(
      property(string({ unit: ANY_CHARACTER }), string({ unit: ANY_CHARACTER }), (text, context) => {
        const sealed = box.seal(text, context);
        expect(box.open(sealed, context)).toBe(text);
        expect(sealed).toMatch(/^hw1\.[\w-]{8}\.[\w-]+$/);
        expect(box.seal(text, context)).not.toBe(sealed);
      }),
    );
  });

  it("does not open after any byte was changed, cut off or added", () => {
    const box = boxOf(one);
    const sealed = box.seal("a secret", "site/a/db");
    const [format, id, body = ""] = sealed.split(".");
    const bytes = Buffer.from(body, "base64url");
    for (let index = 0; index < bytes.length; index++) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      for (const bad of [changed, bytes.subarray(0, index), Buffer.concat([bytes, changed.subarray(0, index + 1)])]) {
        expect(() => box.open(`${format}.${id}.${bad.toString("base64url")}`, "site/a/db")).toThrow(unreadable);
      }
    }
  });

  it("does not open as another secret, with another key, or as another format, and the error tells nothing of it", () => {
    const sealed = boxOf(one).seal("hunter2", "site/a/db");
    expect(() => boxOf(one).open(sealed, "site/b/db")).toThrow(unreadable);
    expect(() => boxOf(two).open(sealed, "site/a/db")).toThrow(/site\/a\/db.*key/);
    for (const bad of ["", "hunter2", "hw2" + sealed.slice(3), `${sealed}.x`, "hw1..", "hw1"]) {
      expect(() => boxOf(one).open(bad, "site/a/db")).toThrow(unreadable);
    }
    expect(() => boxOf(two).open(sealed, "site/a/db")).not.toThrow(/hunter2/);
  });

  it("stays readable when a new key is put first, and new ones are sealed with that", () => {
    const old = boxOf(one).seal("x");
    const rotated = boxOf(two, one);
    expect(rotated.open(old)).toBe("x");
    expect(boxOf(two).open(rotated.seal("y"))).toBe("y");
  });
});

describe("fingerprints and signatures", () => {
  it("are equal for equal values and under one key only", () => {
    expect(boxOf(one).fingerprint("v")).toBe(boxOf(one).fingerprint("v"));
    expect(boxOf(one).fingerprint("v")).not.toBe(boxOf(one).fingerprint("w"));
    expect(boxOf(one).fingerprint("v")).not.toBe(boxOf(two).fingerprint("v"));
    expect(boxOf(one).mac("v").split(".")[2]).not.toBe(boxOf(one).fingerprint("v").split(".")[2]);
  });

  it("verify after a rotation, and not when value, key or text is another", () => {
    const mac = boxOf(one).mac("plan");
    const print = boxOf(one).fingerprint("value");
    for (const box of [boxOf(one), boxOf(two, one)]) {
      expect(box.verifyMac("plan", mac)).toBe(true);
      expect(box.verifyMac(Buffer.from("plan"), mac)).toBe(true);
      expect(box.matches("value", print)).toBe(true);
      expect(box.verifyMac("plan2", mac)).toBe(false);
      expect(box.matches("plan", mac)).toBe(false);
      for (const bad of ["", "hw1", mac.slice(0, -2), `${mac}AA`, mac.replace("hw1", "hw2")])
        expect(box.verifyMac("plan", bad)).toBe(false);
    }
    expect(boxOf(two).verifyMac("plan", mac)).toBe(false);
    expect(boxOf(two).matches("value", print)).toBe(false);
  });
});
