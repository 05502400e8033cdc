import { expect, test } from "vitest";
import { webHeadAddress } from "./web-head.ts";

test.each([
  ["10.0.0.7", "10.0.0.7"],
  ["FD00:0:0::5", "fd00::5"],
  ["::ffff:10.0.0.7", "10.0.0.7"],
  ["Web2.Example.com", "web2.example.com"],
])("%s has one form", (address, form) => {
  expect(webHeadAddress(address)).toBe(form);
});

test.each([
  "%",
  "10.0.0.%",
  "fe80::1%eth0",
  "10.0.0.0/24",
  "web_1.example.com",
  "",
  "a'b",
  "a b",
  "10.0.0.256",
  "a".repeat(256),
])("%j is none", (address) => {
  expect(() => webHeadAddress(address)).toThrow(expect.objectContaining({ code: "HW_INPUT_INVALID" }) as Error);
});
