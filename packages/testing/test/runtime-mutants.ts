import type { UnitProperty } from "@hostwright/core/plugin";
import { node } from "@hostwright/service-node";
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
    caughtBy: "has the site's limits in its settings: a command",
    plugin: withRole(phpFpm, "php", (role) => ({
      interpreter: (view, server) => role.interpreter(view, server).slice(0, 1),
    })),
  },
  {
    name: "commands of the web server's user",
    caughtBy: "runs as the site's own user: a command",
    plugin: sandboxed((properties) => [...properties, ["User", "www-data"], ["Group", "www-data"]]),
  },
  {
    name: "a disabled site that runs on",
    caughtBy: "a disabled site's code does not run",
    plugin: withRole(phpFpm, "php", (role) => ({
      site: (view, server) => role.site({ ...view, enabled: true }, server),
    })),
  },
];

/** With another line in the units of its sites; a digest that is drawn anew has a running one restarted. */
const withUnits = (change: (line: string) => string): AnyService =>
  withRole(node, "php", (role) => ({
    site: (view, server) =>
      role.site(view, server).map(({ type, spec, ...rest }) => {
        const { content } = spec as { readonly content?: string };
        if (typeof content !== "string") return { type, spec, ...rest };
        const lines = content.split("\n").map(change);
        return { type, spec: { ...(spec as object), content: lines.join("\n") }, ...rest };
      }),
  }));

const anotherLine = (from: string, to: string): AnyService => withUnits((line) => (line === from ? to : line));

export const nodeMutants: readonly Mutant<AnyService>[] = [
  {
    name: "a socket that is dead once its program has ended often",
    caughtBy: "a program that ends",
    plugin: withUnits((line) => {
      if (line === "TriggerLimitBurst=0") return "TriggerLimitIntervalSec=1h\nTriggerLimitBurst=1";
      return line === "Restart=always" ? "Restart=no" : line;
    }),
  },
  {
    name: "a program that is started again without a pause",
    caughtBy: "a program that cannot start does not spin",
    plugin: anotherLine("RestartSec=2s", "RestartSec=20ms"),
  },
  {
    name: "a program that ends in the middle of its answers",
    caughtBy: "no request is lost",
    plugin: anotherLine("KillMode=mixed", "KillMode=mixed\nKillSignal=SIGKILL"),
  },
  {
    name: "a program that nobody hears",
    caughtBy: "what a program prints",
    plugin: anotherLine("Type=exec", "Type=exec\nStandardError=null"),
  },
  {
    name: "a program that is left running",
    caughtBy: "taken away while its program runs",
    plugin: anotherLine("KillMode=mixed", "KillMode=none"),
  },
  {
    name: "a program without the socket that it was given",
    caughtBy: "a site answers as soon as its units stand",
    plugin: withUnits((line) => line.replace("--require /usr/local/lib/hostwright/hostwright-node.cjs ", "")),
  },
  {
    name: "a program that sees its neighbours",
    caughtBy: "sees its own tree and its own release, and no folder or file of its neighbours: a page",
    plugin: withUnits((line) => (line.startsWith("TemporaryFileSystem=") ? "" : line)),
  },
];
