import type { Declared, RuntimeRole, ServiceDefinition } from "@hostwright/core/plugin";
import { serverView } from "@hostwright/testing";
import { expect, test } from "vitest";
import { sampleSite } from "../../../test/applications/sample-site.ts";
import { node } from "./plugin.ts";

const definition = node.services?.[0] as ServiceDefinition<RuntimeRole>;
const { role, facts, problems } = definition;
const server = serverView(definition);
const main = "/srv/platforms/s1aaaaaaaa/server.js";
const site = sampleSite({ runtime: { kind: "node", protocol: "http", socket: "/run/x.sock", main } });
const units = (declared: readonly Declared[]): unknown[] =>
  declared.filter((one) => one.type === "unit").map((one) => one.spec);

test("an enabled site listens, and its program runs only when it is asked for", () => {
  expect(units(role.site(site, server))).toEqual([
    { name: "hostwright-node-s1aaaaaaaa.socket", enabled: true, active: true },
    { name: "hostwright-node-s1aaaaaaaa.service", enabled: false, active: null },
  ]);
});

test("what a server has is declared alike by all its services", () => {
  expect(role.server(server).every((one) => one.shared === true)).toBe(true);
});

test.each([
  ["installed 20.19.2+dfsg-1", "20.19.2"],
  ["installed 18.20.4+dfsg-1~deb12u1", "18.20.4"],
  ["config-files 18.20.4+dfsg-1~deb12u1", null],
  ["", null],
])("%j is Node.js %s", (stdout, version) => {
  const read = facts({})["version"]?.parse({ exitCode: 0, stdout, stderr: "" });
  expect(read).toBe(version);
  expect(problems({ ...server, facts: { version: read } })).toHaveLength(version === null ? 1 : 0);
});
