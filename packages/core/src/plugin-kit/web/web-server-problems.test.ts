import { expect, test } from "vitest";
import type { Problem } from "../../contracts/problem.ts";
import type { Blame } from "../../contracts/publication.ts";
import type { ServerView } from "../../contracts/views.ts";
import { webServerProblems } from "./web-server-problems.ts";

const SERVER = { name: "Webby", package: "webby-light", root: "/etc/hostwright/webby", test: "webby -t" };
const other: Problem = { message: "It listens nowhere.", remedy: "Let it." };

function said(version: string | null, refused: Blame | null | undefined): readonly string[] {
  const service = { name: "http", kind: "http", type: "webby", options: {} };
  const facts = { version };
  const view: ServerView = { id: "w", name: "w", addresses: [], services: [service], service, facts, peers: [] };
  return webServerProblems(view, SERVER, refused, [false, other]).map(
    ({ code = "default", message, remedy }) => `${code}: ${message} ${remedy}`,
  );
}

test("a web server that is absent has no other problem", () => {
  expect(said(null, null)).toEqual([
    "default: Webby is not installed. Run the task `prepare`, which installs webby-light.",
  ]);
});

test("a refused configuration is the only problem, and blamed on whose file it is", () => {
  const remedy = "Run `webby -t` on the server and fix what it names.";
  const what = "Webby refuses its present configuration";
  expect(said("1", null)).toEqual([`default: ${what}. ${remedy}`]);
  expect(said("1", { file: `${SERVER.root}/s1.conf`, message: "no such word" })).toEqual([
    `default: ${what}: no such word. ${remedy}`,
  ]);
  expect(said("1", { file: "/etc/webby/a.conf", message: "no such word" })).toEqual([
    `HW_HTTP_FOREIGN_CONFIG: ${what} because of /etc/webby/a.conf, which is not Hostwright's: no such word. Remedy /etc/webby/a.conf, then try again.`,
  ]);
});

test("otherwise its own problems are told", () => {
  expect(said("1", undefined)).toEqual(["default: It listens nowhere. Let it."]);
});
