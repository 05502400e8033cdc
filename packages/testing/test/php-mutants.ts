import type { UnitProperty } from "@hostwright/core/plugin";
import { phpFpm } from "@hostwright/service-php-fpm";
import { withRole, type AnyService, type Mutant } from "./mutant.ts";

const sandboxed = (change: (properties: readonly UnitProperty[]) => readonly UnitProperty[]): AnyService =>
  withRole(phpFpm, "php", (role) => ({ sandbox: (view, server) => change(role.sandbox(view, server)) }));

const without = (...names: readonly string[]): AnyService =>
  sandboxed((properties) => properties.filter(([name]) => !names.includes(name)));

export const phpMutants: readonly Mutant<AnyService>[] = [
  {
    name: "a sandbox that shows all processes",
    caughtBy: "sees and ends no process of its neighbours: a command",
    plugin: without("ProtectProc"),
  },
  {
    name: "a sandbox that may listen",
    caughtBy: "listens on nothing that others could reach: a command",
    plugin: without("SystemCallFilter"),
  },
  {
    name: "a sandbox that shows its neighbours' folders",
    caughtBy: "sees its own tree and its own release, and no folder or file of its neighbours: a command",
    plugin: without("TemporaryFileSystem"),
  },
  {
    name: "a sandbox that may write wherever its user may",
    caughtBy: "writes in its own folders only, and reads its settings: a command",
    plugin: sandboxed((properties) => [
      ...properties.filter(([name, value]) => name !== "BindReadOnlyPaths" || !value.startsWith("/srv/platforms")),
      ["BindPaths", "/srv/platforms/probe"],
      ["User", "root"],
    ]),
  },
  {
    name: "a command with all rights",
    caughtBy: "gets no further rights by a program that gives them: a command",
    plugin: without("NoNewPrivileges", "CapabilityBoundingSet"),
  },
  {
    name: "no limit of memory",
    caughtBy: "the memory of all its processes is bounded",
    plugin: without("MemoryMax"),
  },
  {
    name: "an interpreter without the site's limits",
    caughtBy: "runs as the site's own user, with its limits: a command",
    plugin: withRole(phpFpm, "php", (role) => ({
      interpreter: (view, server) => role.interpreter(view, server).slice(0, 1),
    })),
  },
  {
    name: "commands of the web server's user",
    caughtBy: "runs as the site's own user, with its limits: a command",
    plugin: sandboxed((properties) => [...properties, ["User", "www-data"], ["Group", "www-data"]]),
  },
  {
    name: "a disabled site that runs on",
    caughtBy: "a disabled site's PHP does not run",
    plugin: withRole(phpFpm, "php", (role) => ({
      site: (view, server) => role.site({ ...view, enabled: true }, server),
    })),
  },
];
