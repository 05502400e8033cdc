import { HttpBench, sh } from "@hostwright/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { facts } from "../src/facts.ts";
import { serverView } from "./samples.ts";
import { subject } from "./subject.ts";

let bench: HttpBench;

beforeAll(async () => {
  bench = await HttpBench.open(subject);
});

afterAll(async () => bench?.[Symbol.asyncDispose]());

// What every web server serves and refuses is in the conformance suite.
test("an unknown name meets Debian's stock site while that claims the default, and ours as soon as it is gone", async () => {
  const probe = facts["foreign"];
  const problems = async (): Promise<readonly string[]> => {
    const { code, stdout, stderr } = await bench.host.exec(probe?.argv ?? []);
    const foreign: unknown = probe?.parse({ exitCode: code, stdout, stderr });
    return bench.definition.problems(serverView({ version: "1.26.3", foreign })).map(({ message }) => message);
  };
  expect((await bench.get("unknown.test", "/")).status).toBe(200);
  expect(await problems()).toEqual([expect.stringContaining("/etc/nginx/sites-enabled/default")]);
  await sh(bench.host, subject.removeStockSite);
  expect((await bench.get("unknown.test", "/")).status).toBe(404);
  expect(await sh(bench.host, "curl -sS -g -o /dev/null -w '%{http_code}' 'http://[::1]/'")).toBe("404");
  expect(await problems()).toEqual([]);
});
