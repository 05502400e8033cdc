import { expect, test } from "vitest";
import { pass } from "../src/program.ts";

/** The path that a program gets of a request's line, as mod_rewrite takes it from the rendered condition. */
function passed(line: string): string | undefined {
  const site = { id: "s1", program: { socket: "/run/x.sock", seconds: 1, authorization: true } };
  const condition = pass(site as never, "^").find((one) => one.includes("THE_REQUEST")) ?? "";
  const regex = /%\{THE_REQUEST\} "(.*)"$/.exec(condition)?.[1] ?? "";
  return new RegExp(regex).exec(line)?.[1];
}

test("a program gets the path that the rules were asked about", () => {
  expect(passed("GET /a?b HTTP/1.1")).toBe("/a");
  expect(passed("GET http://program.test/a?b HTTP/1.1")).toBe("/a");
});

// To Apache this is `/` with the query `/closed/a`: what is closed is not asked of the program.
test.each(["?", "#"])("and not the one behind %s in a URL without a path", (sign) => {
  expect(passed(`GET http://program.test${sign}/closed/a HTTP/1.1`)).toBeUndefined();
});
