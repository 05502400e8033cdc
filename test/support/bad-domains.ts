import type { Expected } from "./refusal.ts";

const LONG_LABEL = "a".repeat(64);
const LONG_NAME = `${"long-label-of-a-domain.".repeat(12)}example.com`;

/** Nothing of these may come to a server, as main domain or as alias. */
export const BAD_DOMAINS: readonly (readonly [what: string, domain: string, expected: Expected])[] = [
  ["empty", "", { code: "HW_DOMAIN_INVALID", names: ["empty"] }],
  ["with a blank", "a b.example.com", { code: "HW_DOMAIN_INVALID", names: ["a b.example.com"] }],
  ["with an underscore", "a_b.example.com", { code: "HW_DOMAIN_INVALID", names: ["a_b"] }],
  ["that begins with a dash", "-a.example.com", { code: "HW_DOMAIN_INVALID", names: ["-a"] }],
  ["that is an address", "192.0.2.1", { code: "HW_DOMAIN_INVALID", names: ["192.0.2.1", "IP address"] }],
  ["that is an address in other digits", "0x7f.1", { code: "HW_DOMAIN_INVALID", names: ["0x7f.1"] }],
  ["of one label", "intranet", { code: "HW_DOMAIN_INVALID", names: ["intranet"] }],
  ["that is a wildcard", "*.example.com", { code: "HW_DOMAIN_INVALID", names: ["*.example.com"] }],
  ["with a port", "example.com:8080", { code: "HW_DOMAIN_INVALID", names: ["example.com:8080"] }],
  ["that is a URL", "http://example.com/", { code: "HW_DOMAIN_INVALID", names: ["http://example.com/"] }],
  ["with an empty label", "a..example.com", { code: "HW_DOMAIN_INVALID", names: ["a..example.com"] }],
  ["that climbs", "../../etc/passwd", { code: "HW_DOMAIN_INVALID", names: ["../../etc/passwd"] }],
  ["that climbs as a name", "..example.com", { code: "HW_DOMAIN_INVALID", names: ["..example.com"] }],
  [
    "that quotes its way out",
    `a";}server{.example.com`,
    { code: "HW_DOMAIN_INVALID", names: [`a";}server{.example.com`] },
  ],
  ["with a line end", "a.example.com\nserver_name evil.com", { code: "HW_DOMAIN_INVALID", names: ["a.example.com?"] }],
  ["with a null byte", "a\0.example.com", { code: "HW_DOMAIN_INVALID", names: ["a?.example.com"] }],
  ["with a label that is too long", `${LONG_LABEL}.example.com`, { code: "HW_DOMAIN_INVALID", names: [LONG_LABEL] }],
  ["that is too long", LONG_NAME, { code: "HW_DOMAIN_INVALID", names: ["253"] }],
  ["localhost", "localhost", { code: "HW_DOMAIN_RESERVED", names: ["localhost"] }],
  ["below localhost", "a.localhost", { code: "HW_DOMAIN_RESERVED", names: ["a.localhost", `"localhost"`] }],
  ["below .invalid", "a.invalid", { code: "HW_DOMAIN_RESERVED", names: ["a.invalid"] }],
  ["below .onion, in capitals", "A.ONION", { code: "HW_DOMAIN_RESERVED", names: ["a.onion"] }],
];
