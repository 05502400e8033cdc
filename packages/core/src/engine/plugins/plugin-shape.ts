import * as z from "zod";
import type { Operation } from "../../contracts/operation.ts";
import type { PlatformDefinition, Plugin, Requirement, ServiceDefinition } from "../../contracts/plugin.ts";
import type { Application, Need, Needs, PlatformRole } from "../../contracts/platform.ts";
import type { AnyResourceType } from "../../contracts/resource.ts";
import type { AnyTaskType } from "../../contracts/task.ts";
import type { CacheRole } from "../../contracts/roles/cache.ts";
import type { DatabaseMoving, DatabaseRole } from "../../contracts/roles/database.ts";
import type { HttpRole } from "../../contracts/roles/http.ts";
import type { PhpRole } from "../../contracts/roles/php.ts";

/** Every field of a contract, so that one that is added there is missing here until it is known. */
type Fields<T> = { readonly [K in keyof Required<T>]: z.ZodType };

const Callable = z.custom<unknown>((value) => typeof value === "function", "is not a function");
const Text = z.string().min(1, "is empty");
const Argv = z.array(Text).min(1, "is empty");
const Version = z.int("is not a whole number").min(1, "is less than 1");
/** Also of another copy of zod: the plugin's own. */
const Schema = z.custom<z.ZodType>(
  (value) => typeof (value as { safeParse?: unknown } | null | undefined)?.safeParse === "function",
  "is not a zod schema",
);
const Kind = z.enum(["http", "php", "db", "cache"]);

const Options = z.strictObject({ version: Version, schema: Schema, migrate: Callable.optional() });

const Publication = z.strictObject({
  root: Text,
  unit: Text,
  test: Argv,
  blame: Callable,
  errorLog: Text.optional(),
  status: z.strictObject({ port: z.int(), path: Text }),
  statusEntry: Callable,
} satisfies Fields<HttpRole["publication"]>);

const Http = z.strictObject({
  webUser: Text,
  publication: Publication,
  dump: Argv,
  servedNames: Callable,
  port: Callable,
  server: Callable,
  site: Callable,
} satisfies Fields<HttpRole>);

const Php = z.strictObject({
  server: Callable,
  site: Callable,
  socket: Callable,
  sandbox: Callable,
  interpreter: Callable,
} satisfies Fields<PhpRole>);

const Database = z.strictObject({
  protocol: Text,
  server: Callable,
  site: Callable,
  binding: Callable,
  copy: Callable.optional(),
  moving: z
    .strictObject({ contents: Callable, offers: Callable, problems: Callable } satisfies Fields<DatabaseMoving>)
    .optional(),
} satisfies Fields<DatabaseRole>);

const Cache = z.strictObject({
  protocol: Text,
  server: Callable,
  site: Callable,
  binding: Callable,
} satisfies Fields<CacheRole>);

const ofService = {
  type: Text,
  options: Options,
  packages: Callable,
  unwantedUnits: Callable.optional(),
  facts: Callable,
  problems: Callable,
} satisfies Omit<Fields<ServiceDefinition>, "kind" | "role">;

const Service = z.discriminatedUnion("kind", [
  z.strictObject({ ...ofService, kind: z.literal("http"), role: Http }),
  z.strictObject({ ...ofService, kind: z.literal("php"), role: Php }),
  z.strictObject({ ...ofService, kind: z.literal("db"), role: Database }),
  z.strictObject({ ...ofService, kind: z.literal("cache"), role: Cache }),
]);

const Protocols = z.array(Text).min(1, "is empty").optional();
const Optional = z.literal(true, "is not true");

const Needed = z.strictObject({
  php: z.strictObject({}).optional(),
  db: z.strictObject({ protocols: Protocols, optional: Optional.optional() } satisfies Fields<Need>).optional(),
  cache: z.strictObject({ protocols: Protocols, optional: Optional } satisfies Fields<Need>).optional(),
} satisfies Fields<Needs>);

const Program = z.strictObject({
  driver: z.strictObject({ name: Text, source: Text } satisfies Fields<Application["driver"]>),
  seed: Callable,
  install: Callable,
  loginLink: Callable,
  status: Callable,
} satisfies Fields<Application>);

const Platform = z.strictObject({
  type: Text,
  options: Options,
  siteOptions: Options,
  role: z
    .strictObject({
      needs: Needed.optional(),
      layout: z.strictObject({
        docroot: Text,
        sourceAt: Text,
        mountPoints: z.array(z.strictObject({ path: Text, kind: z.enum(["file", "directory"]) })),
      } satisfies Fields<PlatformRole["layout"]>),
      application: Program.optional(),
      detect: Callable,
      codeNeeded: Callable.optional(),
      ownFolders: Callable,
      confFolders: Callable,
      binds: Callable,
      webRules: Callable,
      settings: Callable,
    } satisfies Fields<PlatformRole>)
    .refine(isRunnable, "has an application, a database or a cache, and no need for php"),
} satisfies Fields<PlatformDefinition>);

/** Only PHP reaches what is kept for a site. */
function isRunnable(role: { readonly needs?: object | undefined; readonly application?: unknown }): boolean {
  const needs = Object.keys(role.needs ?? {});
  return needs.includes("php") || (needs.length === 0 && role.application === undefined);
}

const Resource = z.strictObject({
  name: Text,
  version: Version.optional(),
  schema: Schema,
  rank: z.number(),
  removal: z.enum(["delete", "clean-up"]),
  key: Callable,
  order: Callable.optional(),
  desired: Callable,
  read: Callable,
  identity: Callable,
  satisfies: Callable.optional(),
  guards: Callable.optional(),
  refreshedBy: Callable.optional(),
  apply: Callable,
  clear: Callable.optional(),
  showSpec: Callable,
  showState: Callable,
} satisfies Fields<AnyResourceType>);

const Run = z.strictObject({
  name: Text,
  version: Version,
  run: Callable,
  probe: Callable,
  undo: Callable,
} satisfies Fields<Operation>);

const Task = z.strictObject({
  type: z.string().regex(/^[a-z][a-z0-9-]*:[a-z][a-z0-9-]*$/, "is not noun:verb"),
  version: Version,
  input: Schema,
  value: Schema,
  request: Callable,
  title: Callable,
  subject: Callable,
  migrate: Callable.optional(),
  plan: Callable,
} satisfies Fields<AnyTaskType>);

const Required: z.ZodType<Requirement> = z.union(
  [z.strictObject({ plugin: Text }), z.strictObject({ service: Kind, type: Text.exactOptional() })],
  "is neither { plugin } nor { service, type }",
);

/** What a plugin hands over, with the builders of its declarations. */
export const PluginShape: z.ZodType = z.strictObject({
  name: Text,
  contract: z.int(),
  requires: z.array(Required).optional(),
  services: z.array(Service).optional(),
  platforms: z.array(Platform).optional(),
  resourceTypes: z.array(Resource).optional(),
  operations: z.array(Run).optional(),
  tasks: z.array(Task).optional(),
  service: Callable.optional(),
  platform: Callable.optional(),
  site: Callable.optional(),
} satisfies Fields<Plugin & { service: unknown; platform: unknown; site: unknown }>);
