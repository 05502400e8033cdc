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

test("what is asked for again and again is looked at each time: what it holds, and whose it is", async () => {
  const file = "/srv/sites/wordpress/public/wp-content/uploads/a.jpg";
  const port = bench.definition.role.port(bench.view);
  const keepAsking = `seq 400 | sed 's|.*|url="http://127.0.0.1:${port}/wp-content/uploads/a.jpg"|' | curl -s -o /dev/null -H 'Host: wordpress.test' --rate 200/s -K -`;
  const answerAfter = async (change: string): Promise<string> => {
    await sh(bench.host, keepAsking);
    await sh(bench.host, change);
    const { status, body } = await bench.get("wordpress.test", "/wp-content/uploads/a.jpg");
    return `${status} ${body.slice(0, 20).trim()}`;
  };
  expect(await answerAfter("true")).toBe("200 own");
  expect(await answerAfter(`echo longer than before > ${file}`)).toBe("200 longer than before");
  expect(await answerAfter(`ln -sf /etc/passwd ${file} && chown -h 20000:20000 ${file}`)).toMatch(/^40[34] /);
});
