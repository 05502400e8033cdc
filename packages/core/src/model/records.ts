import { isAbsolute, resolve } from "node:path";
import * as z from "zod";
import { Fingerprint, Host } from "./host.ts";
import { RECORD_ID } from "./ids.ts";
import type { OwnRules } from "./own-rules.ts";
import { Secret } from "./secret.ts";

const Name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/, "a name is lower-case letters, digits, dots, dashes (63 at most)");
const RecordName = Name.refine((name) => !RECORD_ID.test(name), "a name that has not the form of an id");
const AbsolutePath = z
  .string()
  .max(1024)
  .regex(/^\/[A-Za-z0-9._@/+-]*[A-Za-z0-9._@+-]$/, "an absolute path without blanks or special characters")
  .refine((path) => !path.split("/").some((part) => part === ".." || part === "."), "a path without . and ..");
const Port = z.int().min(1).max(65_535);
/** Whoever manages a record; an empty name would manage nothing. */
const Manager = z.string().min(1).max(200);
const SourcePath = z
  .string()
  .max(4096)
  .refine(isAbsolute, "an absolute path, of a folder on the machine that Hostwright runs on")
  .refine((path) => !/\p{Cc}/u.test(path), "a path without control characters")
  .transform((path) => resolve(path));

const SecretValue = z.custom<Secret>((value) => value instanceof Secret || isSecretLike(value), "made by secret(...)");

function isSecretLike(value: unknown): boolean {
  return typeof value === "object" && value !== null && typeof (value as { reveal?: unknown }).reveal === "function";
}

/** How a server is reached; made by `ssh()`, `local()`, `api()` or `cluster()`. */
export type ConnectInput =
  | { readonly type: "local" }
  | { readonly type: "api"; readonly credentials: Secret }
  | { readonly type: "cluster"; readonly members: readonly string[] }
  | {
      readonly type: "ssh";
      readonly host: string;
      /** Default 22. */
      readonly port?: number | undefined;
      /** Root, or one that may use sudo without a password; default `root`. */
      readonly user?: string | undefined;
      /** `SHA256:...`, or several of which one is the server's. */
      readonly hostKey: string | readonly string[];
      readonly privateKey: Secret;
      /** Of the private key; only for one that has a passphrase. */
      readonly passphrase?: Secret | undefined;
    };

const MOST_MEMBERS = 100;

const ConnectSchema = z.discriminatedUnion(
  "type",
  [
    z.strictObject({ type: z.literal("local") }),
    z.strictObject({ type: z.literal("api"), credentials: SecretValue }),
    z.strictObject({ type: z.literal("cluster"), members: z.array(z.string().min(1)).min(1).max(MOST_MEMBERS) }),
    z.strictObject({
      type: z.literal("ssh"),
      host: Host,
      port: Port.default(22),
      user: z
        .string()
        .regex(/^[a-z_][a-z0-9_-]{0,31}$/, "a login name: lower-case letters, digits, _ and -, at most 32")
        .default("root"),
      hostKey: z.union(
        [Fingerprint, z.array(Fingerprint).min(1, "at least one fingerprint of the server's host keys")],
        "a fingerprint of the server's host key, SHA256:..., or a list of them",
      ),
      privateKey: SecretValue,
      passphrase: SecretValue.optional(),
    }),
  ],
  "made by ssh(), local(), api() or cluster()",
);

/** A service as its plugin's builder makes it: `nginx.service()`. */
export interface ServiceInput {
  readonly kind: string;
  readonly type: string;
  /** Default: the kind. */
  readonly name?: string | undefined;
  readonly options?: unknown;
}

export interface ServerInput {
  /** Lower-case letters, digits, dots and dashes, 63 at most; not of the form of an id, such as `v2cd34fgh5`. */
  readonly name: string;
  /** Needed for a new server. */
  readonly connect?: ConnectInput | undefined;
  /** Addresses at which other servers reach it; default: the host it is reached at, and none of an API. */
  readonly addresses?: readonly string[] | undefined;
  readonly services?: readonly ServiceInput[] | undefined;
  /** Names the code or file that alone writes this record from now on. */
  readonly managedBy?: string | undefined;
}

export const ServerSchema: z.ZodType<ServerInput> = z.strictObject({
  name: RecordName,
  connect: ConnectSchema.optional(),
  addresses: z.array(Host).max(100).optional(),
  services: z
    .array(z.strictObject({ kind: z.string(), type: z.string(), name: Name.optional(), options: z.unknown() }))
    .optional(),
  managedBy: Manager.optional(),
});

export interface PlatformInput {
  /** Lower-case letters, digits, dots and dashes, 63 at most; not of the form of an id, such as `v2cd34fgh5`. */
  readonly name: string;
  /** Name or id of the web server that the release stands on, or of a cluster of them; needed for a new platform. */
  readonly server?: string | undefined;
  /** Folder of the release on the server; default `/srv/platforms/<name>`. */
  readonly root?: string | undefined;
  /** Made by its plugin's builder: `drupal.platform()`; needed for a new platform. */
  readonly type?: { readonly type: string; readonly options?: unknown } | undefined;
  /** Where the code comes from: absolute path of a folder on the machine that Hostwright runs on. */
  readonly source?: { readonly path: string } | undefined;
  readonly managedBy?: string | undefined;
}

export const PlatformSchema: z.ZodType<PlatformInput> = z.strictObject({
  name: RecordName,
  server: z.string().optional(),
  root: AbsolutePath.optional(),
  type: z.strictObject({ type: z.string(), options: z.unknown() }).optional(),
  source: z.strictObject({ path: SourcePath }).optional(),
  managedBy: Manager.optional(),
});

export interface SiteLimits {
  readonly uploadMegabytes: number;
  readonly requestSeconds: number;
  readonly memoryMegabytes: number;
  readonly phpWorkers: number;
}

export const SiteLimitsSchema: z.ZodType<SiteLimits> = z.strictObject({
  uploadMegabytes: z.int().min(1).max(10_240).default(64),
  requestSeconds: z.int().min(1).max(3_600).default(60),
  memoryMegabytes: z.int().min(32).max(65_536).default(256),
  phpWorkers: z.int().min(1).max(1_000).default(5),
});

/** A server of a cluster. */
export interface ClusterMember {
  /** Id; of a machine. */
  readonly server: string;
}

export type ConnectRecord =
  | { readonly type: "local" }
  | { readonly type: "api" }
  | { readonly type: "cluster"; readonly members: readonly ClusterMember[] }
  | {
      readonly type: "ssh";
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly hostKeys: readonly string[];
    };

export interface ServiceRecord {
  readonly name: string;
  readonly kind: string;
  readonly type: string;
  /** As they were stored; also of a plugin that is absent now. */
  readonly options: unknown;
  /** Version of the plugin's options that they are of; older ones are migrated whenever they are read for work. */
  readonly optionsVersion: number;
}

/** A server as stored; its private key is a secret of its own (`server/<id>/private-key`). */
export interface ServerRecord {
  readonly id: string;
  readonly name: string;
  readonly connect: ConnectRecord;
  readonly addresses: readonly string[];
  readonly services: readonly ServiceRecord[];
  readonly managedBy: string | null;
}

export interface PlatformRecord {
  readonly id: string;
  readonly name: string;
  /** Id; of a cluster: the release stands on each of its members. */
  readonly server: string;
  readonly root: string;
  readonly type: string;
  readonly options: unknown;
  readonly optionsVersion: number;
  readonly source: { readonly path: string } | null;
  /** What was published: digest of the tree and the application's version; null until it was. */
  readonly release: { readonly digest: string; readonly version: string } | null;
  readonly managedBy: string | null;
}

/** A service of a site, by its name on its server. */
export interface ServicePlace {
  /** Id; left out: the server of the site's platform, which serves its pages. Of a cluster: each member has a service of that name. */
  readonly server?: string;
  readonly service: string;
}

export interface SiteBindings {
  readonly http: ServicePlace;
  readonly [kind: string]: ServicePlace | undefined;
}

export interface SiteRecord {
  readonly id: string;
  readonly domain: string;
  readonly aliases: readonly string[];
  readonly aliasMode: "redirect" | "serve";
  /** `draft`: named by a plan only; `installing`: reserved by a running task. */
  readonly status: "draft" | "installing" | "installed" | "deleting";
  readonly enabled: boolean;
  readonly platform: string;
  /** The services that it uses, by kind: `http` always, and what its platform needs. */
  readonly bindings: SiteBindings;
  readonly uid: number;
  readonly title: string;
  readonly adminEmail: string;
  readonly adminUser: string;
  readonly options: unknown;
  readonly optionsVersion: number;
  readonly limits: SiteLimits;
  /** The site's own rules for its web server; none where it never had any. */
  readonly webRules?: OwnRules;
}

/** Is it an API, without a machine? */
export function isApi({ connect }: Pick<ServerRecord, "connect">): boolean {
  return connect.type === "api";
}

/** Is it a machine, of which commands can be asked? */
export function isMachine({ connect }: Pick<ServerRecord, "connect">): boolean {
  return connect.type === "local" || connect.type === "ssh";
}

/** Ids of the members of a cluster, the first one first; null of any other server. */
export function membersOf({ connect }: Pick<ServerRecord, "connect">): readonly string[] | null {
  return connect.type === "cluster" ? connect.members.map(({ server }) => server) : null;
}

/** Connects to this machine itself. */
export function local(): ConnectInput {
  return { type: "local" };
}

/**
 * Reaches an API without a machine: a name server's, an object store's, a cloud's. Its services are those of plugins that
 * are made for it; `credentials` is whatever they take: a token, or JSON.
 */
export function api(credentials: Secret): ConnectInput {
  return { type: "api", credentials };
}

/**
 * One server made of several: a release on it stands on each, and each serves its sites (decisions.md D69). Names or ids of
 * machines, each of which has a record with its services. What runs once for a site, such as an installer, runs on the first.
 */
export function cluster(...members: readonly string[]): ConnectInput {
  return { type: "cluster", members };
}

/** Connects over SSH; the host key is checked against the given fingerprints, always. */
export function ssh(options: {
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
  /** `SHA256:...` as `ssh-keygen -lf` prints it; several during a rotation. */
  readonly hostKey: string | readonly string[];
  /** The text of the key file: OpenSSH's own format, or PEM. */
  readonly privateKey: Secret;
  /** Of the private key, if it has one; it is used once, when the server is put. */
  readonly passphrase?: Secret;
}): ConnectInput {
  return {
    type: "ssh",
    host: options.host,
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.user === undefined ? {} : { user: options.user }),
    hostKey: options.hostKey,
    privateKey: options.privateKey,
    ...(options.passphrase === undefined ? {} : { passphrase: options.passphrase }),
  };
}
