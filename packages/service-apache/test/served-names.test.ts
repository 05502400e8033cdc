import { expect, test } from "vitest";
import { blame, facts, problems } from "../src/facts.ts";
import { servedNames } from "../src/served-names.ts";
import { serverView } from "./samples.ts";

const dump = `VirtualHost configuration:
127.0.0.1:592          hostwright-status (/etc/hostwright/apache/current/000-status.conf:3)
*:80                   is a NameVirtualHost
         default server hostwright.invalid (/etc/hostwright/apache/current/000-default.conf:37)
         port 80 namevhost ours.test (/etc/hostwright/apache/current/s1.conf:2)
                 alias www.ours.test
         port 80 namevhost shop.test (/etc/apache2/sites-enabled/shop site.conf:1)
                 wild alias *.shop.test
`;

test("names are held, each with its file, those of our own entries too", () => {
  const [ours, shop] = ["/etc/hostwright/apache/current/s1.conf", "/etc/apache2/sites-enabled/shop site.conf"];
  expect(servedNames(dump).filter(({ name }) => !name.includes("hostwright"))).toEqual([
    { name: "ours.test", file: ours },
    { name: "www.ours.test", file: ours },
    { name: "shop.test", file: shop },
    { name: "*.shop.test", file: shop },
  ]);
});

const parsed = (fact: string, stdout: string, exitCode = 0): unknown =>
  facts[fact]?.parse({ exitCode, stdout, stderr: "" });

test("modules and ports are facts; PHP in Apache and another mode of it are problems with a remedy", () => {
  const loaded = parsed("loaded", "Loaded Modules:\n core_module (static)\n php8_module (shared)\n");
  expect(loaded).toEqual({ modules: ["core", "php8"] });
  expect(parsed("listens", "Listen 80\n  listen 10.0.0.1:8080\n# Listen 81\nListen [::]:443\n")).toEqual([
    80, 8080, 443,
  ]);
  const found = problems(serverView({ version: "2.4.65", loaded }));
  expect(found.map(({ message }) => message).join("\n")).toMatch(/php8_module.*\n.*event module/);
  expect(found.every(({ remedy }) => remedy !== "")).toBe(true);
  expect(problems(serverView({ version: "2.4.65", loaded: { modules: ["mpm_event"] } }))).toEqual([]);
  expect(problems(serverView({ version: "2.4.65", loaded: parsed("loaded", "", 1) }))).toHaveLength(1);
  expect(problems(serverView({ version: null }))).toMatchObject([{ message: "Apache is not installed." }]);
});

test("a site that names none is a problem, and keeps nobody from working", () => {
  const nameless = parsed("nameless", "000-default.conf\n");
  const known = { version: "2.4.65", loaded: { modules: ["mpm_event"] } };
  expect(problems(serverView({ ...known, nameless }))).toMatchObject([
    { tolerable: true, message: expect.stringContaining("000-default.conf") as unknown },
  ]);
  expect(problems(serverView({ ...known, nameless: parsed("nameless", "", 2) }))).toEqual([]);
});

test("the file that Apache blames is found, the innermost of several, with the line behind it", () => {
  expect(
    blame(
      "AH00112: Warning: no such folder\napache2: Syntax error on line 225 of /etc/apache2/apache2.conf: Syntax error on line 3 of /etc/apache2/a b.conf: \nInvalid command 'x'\nAction '-t' failed.\n",
    ),
  ).toEqual({ file: "/etc/apache2/a b.conf", message: "Invalid command 'x'" });
  expect(blame("/etc/x.conf:1: <VirtualHost *:80> was not closed. /etc/x.conf")?.file).toBe("/etc/x.conf");
  expect(blame("AH00526: Syntax error on line 1 of /etc/x.conf:")).toEqual({
    file: "/etc/x.conf",
    message: "AH00526: Syntax error on line 1 of /etc/x.conf:",
  });
  expect(blame("Syntax OK")).toBeNull();
});
