import { expect, test } from "vitest";
import { serviceOf } from "../../testing/src/subject.ts";
import { nginx } from "../src/index.ts";
import { problems } from "../src/facts.ts";
import { foreignOf, servedNames } from "../src/served-names.ts";
import { defaultEntry, serverResources } from "../src/server.ts";
import { serverView } from "./samples.ts";

const dump = `# configuration file /etc/nginx/nginx.conf:
user www-data; # server_name commented.test;
http {
    gzip_vary on;
    log_format x '$host "} server_name log.test;';
    include /etc/nginx/conf.d/*.conf;
    server { listen 8080; server_name inline.test; location / { return 200 "server_name no.test;"; } }
}

# configuration file /etc/nginx/sites-enabled/default:
server {
    listen 80 default_server;
    listen [::]:80 default_server;
    server_name _ "";
}
# configuration file /etc/nginx/conf.d/shop.conf:
server { listen 10.0.0.1:80; listen 10.0.0.2; listen unix:/run/x.sock; listen localhost:81;
  server_name Shop.test
    .wild.test ~^re\\d+\\.test$ *.star.test; }
# configuration file /etc/hostwright/nginx/current/s1.conf:
server { listen 80; server_name ours.test; }
`;

test("names are held, each with its file, those of our own entries too; catch-alls are not", () => {
  const shop = "/etc/nginx/conf.d/shop.conf";
  expect(servedNames(dump)).toEqual([
    { name: "inline.test", file: "/etc/nginx/nginx.conf" },
    ...["shop.test", "wild.test", "*.wild.test", "*.star.test"].map((name) => ({ name, file: shop })),
    { name: "ours.test", file: "/etc/hostwright/nginx/current/s1.conf" },
  ]);
});

test("listeners, settings and the include are facts", () => {
  const { listeners, settings, includesUs } = foreignOf(dump);
  expect(listeners.map(({ address, port, isDefault }) => `${address} ${port} ${isDefault}`)).toEqual([
    "* 8080 false",
    "* 80 true",
    "[::] 80 true",
    "10.0.0.1 80 false",
    "10.0.0.2 80 false",
    "localhost 81 false",
  ]);
  expect(settings).toContain("gzip_vary");
  expect(includesUs).toBe(true);
});

test("patterns are compiled, unless a foreign file says how already; our own says nothing about that", () => {
  const compiled = (files: string): boolean =>
    serverResources(serverView({ foreign: foreignOf(files) })).some(({ spec }) =>
      JSON.stringify(spec).includes("modules-enabled"),
    );
  const file = (path: string): string => `# configuration file ${path}:\npcre_jit on;\n`;
  const main = "# configuration file /etc/nginx/nginx.conf:\n";
  expect(compiled(`${main}user www-data;\n${file("/etc/nginx/modules-enabled/90-hostwright.conf")}`)).toBe(true);
  expect(compiled(`${main}pcre_jit off;\n`)).toBe(false);
  expect(compiled(`${main}${file("/etc/nginx/modules-enabled/50-admin.conf")}`)).toBe(false);
});

test("a setting that a foreign file makes is left out of ours", () => {
  const options = { httpPort: 80, ipv6: true };
  expect(defaultEntry(options, foreignOf(dump)).content).not.toContain("gzip_vary");
  expect(defaultEntry(options, foreignOf("")).content).toContain("gzip_vary on;");
  expect(defaultEntry(options, foreignOf("")).content).not.toContain("default_server");
});

test("a foreign default, a narrower listener and a missing include are problems with a remedy", () => {
  const found = problems(serverView({ version: "1.26.3", foreign: { ...foreignOf(dump), includesUs: false } }));
  expect(found.map(({ message }) => message).join("\n")).toMatch(
    /conf\.d.*\n.*sites-enabled\/default.*\n.*10\.0\.0\.1, 10\.0\.0\.2/,
  );
  expect(found.every(({ remedy }) => remedy !== "")).toBe(true);
  expect(problems(serverView({ version: null }))).toMatchObject([{ message: "nginx is not installed." }]);
  expect(problems(serverView({ version: "1.26.3", foreign: null }))).toHaveLength(1);
});

test("the file that nginx blames is found among warnings", () => {
  const blame = serviceOf(nginx, "http").role.publication.blame;
  expect(
    blame(
      '2026/01/01 [warn] 1#1: conflicting server name "a" on 0.0.0.0:80, ignored\nnginx: [emerg] unknown directive "x" in /etc/nginx/a b.conf:3\nnginx: configuration file /etc/nginx/nginx.conf test failed',
    ),
  ).toEqual({ file: "/etc/nginx/a b.conf", message: 'unknown directive "x" in /etc/nginx/a b.conf:3' });
  expect(blame("nginx: [emerg] could not build server_names_hash")).toBeNull();
});
