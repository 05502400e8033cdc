import * as z from "zod";
import type { Operation } from "../../contracts/operation.ts";
import type {
  PlatformDefinition,
  Plugin,
  Requirement,
  ServiceDefinition,
  ServiceKind,
  ServiceRoles,
} from "../../contracts/plugin.ts";
import type { Application, Need, PlatformRole } from "../../contracts/platform.ts";
import type { AnyResourceType } from "../../contracts/resource.ts";
import type { AnyTaskType } from "../../contracts/task.ts";
import { KindName } from "../../model/kind-name.ts";
import type { BackingRole } from "../../contracts/roles/backing.ts";
import type { DatabaseMoving, DatabaseRole } from "../../contracts/roles/database.ts";
import type { Publication } from "../../contracts/publication.ts";
import type { HttpRole } from "../../contracts/roles/http.ts";
import type { RuntimeRole } from "../../contracts/roles/runtime.ts";

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
const Options = z.strictObject({ version: Version, schema: Schema, migrate: Callable.optional() });

const Published = z.strictObject({
  root: Text,
  unit: Text,
  test: Argv,
  blame: Callable,
  errorLog: Text.optional(),
  status: z.union(
    [z.strictObject({ port: z.int().min(1).max(65_535), path: Text }), z.strictObject({ command: Argv })],
    "is neither { port, path } nor { command }",
  ),
  statusEntry: Callable,
} satisfies Fields<Publication>);

const Http = z.strictObject({
  webUser: Text,
  publication: Published,
  dump: Argv,
  servedNames: Callable,
  port: Callable,
  server: Callable,
  site: Callable,
} satisfies Fields<HttpRole>);

const Runtime = z.strictObject({
  protocol: z.enum(["fastcgi", "http"]),
  server: Callable,
  site: Callable,
  socket: Callable,
  sandbox: Callable,
  interpreter: Callable,
  publication: Published.optional(),
} satisfies Fields<RuntimeRole>);

const Backing = z.strictObject({
  protocol: Text,
  publication: Published.optional(),
  server: Callable,
  site: Callable,
  binding: Callable,
} satisfies Fields<BackingRole>);

const Database = Backing.extend({
  copy: Callable.optional(),
  moving: z
    .strictObject({ contents: Callable, offers: Callable, problems: Callable } satisfies Fields<DatabaseMoving>)
    .optional(),
} satisfies Fields<Omit<DatabaseRole, keyof BackingRole>>);

/** What the services of a kind must have, by its role. A plugin's own kind may ask for more. */
export const ROLES: Readonly<Record<keyof ServiceRoles, z.ZodType>> = {
  http: Http,
  runtime: Runtime,
  database: Database,
  cache: Backing,
  backing: Backing,
};

/** Core's own tasks know the one web server and the one database of a site by their kinds. */
const OwnKind = z.strictObject({
  name: KindName,
  version: Version,
  title: Text,
  role: z.enum(["runtime", "backing"], "is neither runtime nor backing"),
} satisfies Fields<ServiceKind>);

const Service = z.strictObject({
  kind: KindName,
  kindVersion: Version.optional(),
  type: Text,
  options: Options,
  packages: Callable,
  unwantedUnits: Callable.optional(),
  facts: Callable,
  problems: Callable,
  // Judged by its kind, which another plugin may bring.
  role: z.looseObject({}),
} satisfies Fields<ServiceDefinition>);

const Needed = z.record(
  KindName,
  z.strictObject({
    protocols: z.array(Text).min(1, "is empty").optional(),
    optional: z.literal(true, "is not true").optional(),
  } satisfies Fields<Need>),
);

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
  role: z.strictObject({
    needs: Needed.optional(),
    layout: z.strictObject({
      docroot: Text,
      sourceAt: Text,
      mountPoints: z.array(z.strictObject({ path: Text, kind: z.enum(["file", "directory"]) })),
    } satisfies Fields<PlatformRole["layout"]>),
    application: Program.optional(),
    main: Callable.optional(),
    detect: Callable,
    codeNeeded: Callable.optional(),
    ownFolders: Callable,
    confFolders: Callable,
    binds: Callable,
    webRules: Callable,
    settings: Callable,
  } satisfies Fields<PlatformRole>),
} satisfies Fields<PlatformDefinition>);

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
  standsFor: Callable.optional(),
  migrate: Callable.optional(),
  plan: Callable,
} satisfies Fields<AnyTaskType>);

const Required: z.ZodType<Requirement> = z.union(
  [z.strictObject({ plugin: Text }), z.strictObject({ service: KindName, type: Text.exactOptional() })],
  "is neither { plugin } nor { service, type }",
);

/** What a plugin hands over, with the builders of its declarations. */
export const PluginShape: z.ZodType = z.strictObject({
  name: Text,
  contract: z.int(),
  requires: z.array(Required).optional(),
  kinds: z.array(OwnKind).optional(),
  services: z.array(Service).optional(),
  platforms: z.array(Platform).optional(),
  resourceTypes: z.array(Resource).optional(),
  operations: z.array(Run).optional(),
  tasks: z.array(Task).optional(),
  parts: z.array(z.looseObject({ token: z.looseObject({ name: Text }), make: Callable })).optional(),
  service: Callable.optional(),
  platform: Callable.optional(),
  site: Callable.optional(),
} satisfies Fields<Plugin & { service: unknown; platform: unknown; site: unknown }>);
