import { expect, test } from "vitest";
import { accessType } from "../src/access-type.ts";
import { role } from "../src/role.ts";
import { contentOf, request, serverView } from "./samples.ts";

function rulesOf(webHeads: readonly string[]): readonly string[] {
  const declared = role.site(request("s1", webHeads), serverView());
  return declared.filter(({ type }) => type === accessType.name).flatMap((one) => contentOf(one).split("\n").slice(1));
}

const CLOSED = ["host all s1 all reject", "local all s1 reject"];

test("a role may log in from its web heads to its own database, and nowhere else", () => {
  expect(rulesOf(["local"])).toEqual(["host s1 s1 127.0.0.1/32 scram-sha-256", ...CLOSED]);
  expect(rulesOf(["10.0.0.7", "FD00::5", "10.0.0.7", "web2.example.com"])).toEqual([
    "host s1 s1 10.0.0.7/32 scram-sha-256",
    "host s1 s1 fd00::5/128 scram-sha-256",
    "host s1 s1 web2.example.com scram-sha-256",
    ...CLOSED,
  ]);
});
