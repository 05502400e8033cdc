import type * as z from "zod";
import type { PlatformDefinition, Plugin, ServiceDefinition, ServiceKind } from "../../contracts/plugin.ts";
import { CORE_KINDS } from "../../plugin-kit/kinds.ts";
import { ROLES } from "./plugin-shape.ts";

type Issue = z.core.$ZodIssue;
type Kinds = ReadonlyMap<string, ServiceKind>;

/** What can be judged only once all plugins are known: what services and platforms say of kinds. */
export function kindIssues(plugin: Plugin, kinds: Kinds): readonly Issue[] {
  const of = (list: "services" | "platforms", each: readonly (readonly Issue[])[]): readonly Issue[] =>
    each.flatMap((issues, index) => issues.map((one) => ({ ...one, path: [list, index, ...one.path] })));
  return [
    ...of(
      "services",
      (plugin.services ?? []).map((service) => ofService(service, kinds)),
    ),
    ...of(
      "platforms",
      (plugin.platforms ?? []).map((platform) => ofPlatform(platform, kinds)),
    ),
  ];
}

function ofService({ kind, kindVersion = 1, role }: ServiceDefinition, kinds: Kinds): readonly Issue[] {
  const known = kinds.get(kind);
  if (known === undefined) return [issue(["kind"], `is "${kind}", which no loaded plugin brings`)];
  if (known.version !== kindVersion)
    return [issue(["kind"], `is version ${kindVersion} of "${kind}", and version ${known.version} is loaded`)];
  const all = ROLES[known.role].safeParse(role).error?.issues ?? [];
  const isCore = CORE_KINDS.includes(known);
  const found = all.filter(({ code }) => isCore || code !== "unrecognized_keys");
  return found.map((one) => ({ ...one, path: ["role", ...one.path] }));
}

function ofPlatform({ role: { needs = {}, application, main } }: PlatformDefinition, kinds: Kinds): readonly Issue[] {
  // What sites may have may be absent: those that have it are refused, and their neighbours go on.
  const unknown = Object.entries(needs).flatMap(([name, need]) =>
    kinds.has(name) || need.optional === true ? [] : [name],
  );
  if (unknown.length > 0)
    return unknown.map((name) => issue(["role", "needs"], `has "${name}", a kind that no loaded plugin brings`));
  const roles = Object.entries(needs).map(([name, need]) => ({ name, need, role: kinds.get(name)?.role }));
  const runtimes = roles.filter(({ role }) => role === "runtime");
  const [runtime] = runtimes;
  const wrong = [
    needs["http"] !== undefined && "has http, which every platform has",
    runtimes.length > 1 && `has several runtimes: ${runtimes.map(({ name }) => name).join(", ")}`,
    runtime?.need.optional === true && `has ${runtime.name} as optional, which no runtime is`,
    runtime === undefined && roles.length > 0 && `has ${roles[0]?.name ?? ""}, and no runtime that would reach it`,
    application !== undefined && runtime?.name !== "php" && "has no php, which runs the application's driver",
    main !== undefined && runtime === undefined && "has no runtime, which would run main",
  ];
  return wrong.flatMap((message) => (message === false ? [] : [issue(["role", "needs"], message)]));
}

function issue(path: readonly string[], message: string): Issue {
  return { code: "custom", path: [...path], message, input: undefined };
}
