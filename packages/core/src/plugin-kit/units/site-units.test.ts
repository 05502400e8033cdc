import { expect, test } from "vitest";
import { sampleSite } from "../../../../../test/applications/sample-site.ts";
import { siteSocketUnit, unitDigest, unitLines } from "./site-units.ts";

const socket = { title: "Code", path: "/run/code/s1aaaaaaaa.sock" };

test("only the web server's user may connect", () => {
  expect(siteSocketUnit(sampleSite({ webUser: "nginx" }), socket)).toMatch(
    /ListenStream=\/run\/code\/s1aaaaaaaa\.sock\nSocketUser=nginx\nSocketGroup=nginx\nSocketMode=0600\n/,
  );
});

test("a user that would end the line is refused, not rendered", () => {
  expect(() => siteSocketUnit(sampleSite({ webUser: "nginx\nSocketMode=0666" }), socket)).toThrow(
    expect.objectContaining({ code: "HW_QUOTE_REFUSED" }),
  );
});

test("properties become lines that systemd reads as they are", () => {
  expect(unitLines([["Slice", "a%b.slice"]])).toEqual(["Slice=a%%b.slice"]);
});

test("a digest tells one text from another", () => {
  expect(unitDigest("a")).toMatch(/^[0-9a-f]{16}$/);
  expect(unitDigest("a")).not.toBe(unitDigest("b"));
});
