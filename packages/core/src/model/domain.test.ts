import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isHostwrightError } from "../errors/hostwright-error.ts";
import { parseDomain } from "./domain.ts";
import { ANY_CHARACTER } from "../../../testing/src/any-character.ts";

function codeOf(input: string): string {
  try {
    return `accepted as ${parseDomain(input)}`;
  } catch (error) {
    return isHostwrightError(error) ? error.code : String(error);
  }
}

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/).filter((text) => !/^..--/.test(text));
const tld = fc.constantFrom("com", "de", "test", "example", "museum");
const domain = fc
  .tuple(fc.array(label, { minLength: 1, maxLength: 4 }), tld)
  .map(([labels, last]) => [...labels, last].join("."));

describe("a domain has one stored form", () => {
  test.each([
    ["Example.COM", "example.com"],
    ["example.com.", "example.com"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["BÜCHER.example", "xn--bcher-kva.example"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["例え.テスト", "xn--r8jz45g.xn--zckzah"],
    ["www.example.co.uk", "www.example.co.uk"],
  ])("%s is %s", (input, stored) => {
    expect(parseDomain(input)).toBe(stored);
  });

  test("whatever the case and a trailing dot, it is the same, and parsing it again changes nothing", () => {
    fc.assert(
      fc.property(domain, fc.boolean(), fc.boolean(), (name, upper, dot) => {
        const stored = parseDomain(`${upper ? name.toUpperCase() : name}${dot ? "." : ""}`);
        expect(stored).toBe(name);
        expect(parseDomain(stored)).toBe(stored);
      }),
    );
  });

  test("any text gives an A-label name of at most 253 characters or a coded error, never anything else", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: ANY_CHARACTER }), fc.webAuthority(), fc.domain()), (input) => {
        const answer = codeOf(input);
        if (/^HW_DOMAIN_(INVALID|RESERVED)$/.test(answer)) return;
        expect(answer).toMatch(/^accepted as /);
        const stored = answer.slice("accepted as ".length);
        expect(stored).toMatch(/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]*[a-z][a-z0-9-]*$/);
        expect(stored.length).toBeLessThanOrEqual(253);
        expect(stored.split(".").every((part) => part.length <= 63)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe("what is no public host name is refused", () => {
  test.each([
    "localhost",
    "a.localhost",
    "printer.local",
    "x.invalid",
    "hidden.onion",
    "1.0.0.127.in-addr.arpa",
    "db.internal",
  ])("%s is reserved", (name) => {
    expect(codeOf(name)).toBe("HW_DOMAIN_RESERVED");
  });

  test.each([
    ["", "empty"],
    ["example", "one label"],
    ["192.0.2.1", "an address"],
    ["[2001:db8::1]", "an address"],
    ["example.123", "a number as last label"],
    ["a_b.example", "an underscore"],
    ["-a.example", "a leading dash"],
    ["a-.example", "a trailing dash"],
    ["a..example", "an empty label"],
    ["example..", "two trailing dots"],
    ["example.com/path", "a path"],
    ["user@example.com", "a user"],
    ["example.com:80", "a port"],
    ["example.com\n", "a line break"],
    ["ex ample.com", "a blank"],
    ["*.example.com", "a wildcard"],
    ["a;b.example", "a semicolon"],
    ["$(id).example", "a shell expansion"],
    ["xn--a.example", "broken punycode"],
  ])("%j: %s", (input) => {
    expect(codeOf(input)).toBe("HW_DOMAIN_INVALID");
  });

  test("a label of 63 and a name of 253 characters is the limit", () => {
    const long = "a".repeat(63);
    const name = [long, long, long, "a".repeat(61)].join(".");
    expect(codeOf(`${long}.example`)).toBe(`accepted as ${long}.example`);
    expect(codeOf(`${long}a.example`)).toBe("HW_DOMAIN_INVALID");
    expect(name).toHaveLength(253);
    expect(codeOf(name)).toBe(`accepted as ${name}`);
    expect(codeOf(`${name}.`)).toBe(`accepted as ${name}`);
    expect(codeOf(`${name}a`)).toBe("HW_DOMAIN_INVALID");
    expect(codeOf("ü".repeat(250))).toBe("HW_DOMAIN_INVALID");
  });

  test("the message shows no control characters and no endless input", () => {
    try {
      parseDomain(`\u001b[31m${"x".repeat(10_000)}`);
      expect.unreachable();
    } catch (error) {
      const { message } = error as Error;
      expect(message).not.toContain("\u001b");
      expect(message.length).toBeLessThan(250);
    }
  });
});
