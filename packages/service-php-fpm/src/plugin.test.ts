import type { Declared } from "@hostwright/core/plugin";
import { expect, test } from "vitest";
import { sampleSite } from "../../../test/applications/sample-site.ts";
import { serviceOf } from "../../testing/src/subject.ts";
import { serverView } from "../../../test/applications/site.ts";
import { PhpFpmOptions } from "./options.ts";
import { phpFpm } from "./plugin.ts";

const { role, facts, problems } = serviceOf(phpFpm, "php");
const server = serverView(PhpFpmOptions.parse({}));
const units = (declared: readonly Declared[]): unknown[] =>
  declared.filter((one) => one.type === "unit").map((one) => one.spec);

test("an enabled site listens, and its PHP runs only when it is asked for", () => {
  expect(units(role.site(sampleSite(), server))).toEqual([
    { name: "hostwright-php-s1aaaaaaaa.socket", enabled: true, active: true },
    { name: "hostwright-php-s1aaaaaaaa.service", enabled: false, active: null },
  ]);
});

test("a disabled site neither listens nor runs, and keeps its files", () => {
  const declared = role.site(sampleSite({ enabled: false }), server);
  expect(units(declared)).toEqual([
    { name: "hostwright-php-s1aaaaaaaa.socket", enabled: false, active: false },
    { name: "hostwright-php-s1aaaaaaaa.service", enabled: false, active: false },
  ]);
  expect(declared.filter((one) => one.type === "file")).toHaveLength(3);
});

test("two releases of PHP on one server share what the server needs once", () => {
  const other = serverView(PhpFpmOptions.parse({ version: "8.3", maxIdleMinutes: 30 }));
  expect(role.server(other)).toEqual(role.server(server));
  expect(role.server(server).every((one) => one.shared === true)).toBe(true);
});

test("the interpreter is the chosen release with the site's limits", () => {
  const site = sampleSite();
  const argv = role.interpreter(site, server);
  expect(argv[0]).toBe("/usr/bin/php8.4");
  expect(argv).toEqual(
    expect.arrayContaining([
      `memory_limit=${site.limits.memoryMegabytes}M`,
      "sys_temp_dir=/srv/sites/s1aaaaaaaa/tmp",
      "max_execution_time=0",
    ]),
  );
});

function judge(answers: Readonly<Record<string, { exitCode: number; stdout: string }>>): string[] {
  const probes = facts(PhpFpmOptions.parse({}));
  const read = Object.fromEntries(
    Object.entries(probes).map(([name, probe]) => [
      name,
      probe.parse({ stderr: "", ...(answers[name] ?? { exitCode: 1, stdout: "" }) }),
    ]),
  );
  return problems({ ...server, facts: read }).map((problem) => problem.message);
}

const present = { exitCode: 0, stdout: "installed 8.4.16-1~deb13u1", stderr: "" };
const running = {
  exitCode: 0,
  stdout: "php8.4-fpm.service loaded active running The PHP 8.4 FastCGI Process Manager\n",
};
const stock = { exitCode: 0, stdout: "/etc/php/8.4/fpm/pool.d/www.conf:user = www-data\n" };

test("a server without PHP is named, and not more than that", () => {
  expect(judge({})).toEqual([expect.stringContaining("PHP 8.4")]);
});

test("Debian's stock pool is a problem only while it runs as the web server's user", () => {
  expect(judge({ version: present, foreignUnits: running, foreignPools: stock })).toEqual([
    expect.stringContaining("/etc/php/8.4/fpm/pool.d/www.conf"),
  ]);
  expect(judge({ version: present, foreignPools: stock })).toEqual([]);
  expect(
    judge({
      version: present,
      foreignUnits: running,
      foreignPools: { exitCode: 0, stdout: "/etc/php/8.4/fpm/pool.d/own.conf:user = backup\n" },
    }),
  ).toEqual([]);
});
