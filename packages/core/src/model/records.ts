import * as z from "zod";
import { Secret } from "../model/secret.ts";

const Name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/, "a name is lower-case letters, digits, dots, dashes (63 at most)");
const AbsolutePath = z
  .string()
  .max(1024)
  .regex(/^\/[A-Za-z0-9._@/+-]*[A-Za-z0-9._@+-]$/, "an absolute path without blanks or special characters")
  .refine((path) => !path.split("/").some((part) => part === ".." || part === "."), "a path without . and ..");
const Port = z.int().min(1).max(65_535);

const SecretValue = z.custom<Secret>((value) => value instanceof Secret || isSecretLike(value), "made by secret(...)");

function isSecretLike(value: unknown): boolean {
  return typeof value === "object" && value !== null && typeof (value as { reveal?: unknown }).reveal === "function";
}

export const ConnectInput = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("local") }),
  z.strictObject({
    type: z.literal("ssh"),
    host: z.string().min(1).max(255),
    port: Port.default(22),
    user: z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/).default("root"),
    hostKeys: z.array(z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, "a fingerprint such as SHA256:...")).min(1),
    privateKey: SecretValue,
  }),
]);
export type ConnectInput = z.input<typeof ConnectInput>;

export const ServiceInput = z.strictObject({
  kind: z.string(),
  type: z.string(),
  name: Name.optional(),
  options: z.unknown(),
});

export const ServerInput = z.strictObject({
  name: Name,
  connect: ConnectInput.optional(),
  /** Addresses at which other servers reach it; default: the host it is reached at. */
  addresses: z.array(z.string().min(1).max(255)).optional(),
  services: z.array(ServiceInput).optional(),
  managedBy: z.string().optional(),
});
export type ServerInput = z.input<typeof ServerInput>;

export const PlatformInput = z.strictObject({
  name: Name,
  /** Name or id of the web server that the release stands on. */
  server: z.string().optional(),
  /** Folder of the release on the server; default `/srv/platforms/<name>`. */
  root: AbsolutePath.optional(),
  type: z.strictObject({ type: z.string(), options: z.unknown() }).optional(),
  /** Where the code comes from: a folder on the machine that Hostwright runs on. */
  source: z.strictObject({ path: z.string().min(1) }).optional(),
  managedBy: z.string().optional(),
});
export type PlatformInput = z.input<typeof PlatformInput>;

export const SiteLimitsSchema = z.strictObject({
  uploadMegabytes: z.int().min(1).max(10_240).default(64),
  requestSeconds: z.int().min(1).max(3_600).default(60),
  memoryMegabytes: z.int().min(32).max(65_536).default(256),
  phpWorkers: z.int().min(1).max(1_000).default(5),
});

export type ConnectRecord =
  | { readonly type: "local" }
  | { readonly type: "ssh"; readonly host: string; readonly port: number; readonly user: string; readonly hostKeys: readonly string[] };

export interface ServiceRecord {
  readonly name: string;
  readonly kind: string;
  readonly type: string;
  readonly options: unknown;
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

export interface SiteRecord {
  readonly id: string;
  readonly domain: string;
  readonly aliases: readonly string[];
  readonly aliasMode: "redirect" | "serve";
  /** `draft`: named by a plan only; `installing`: reserved by a running task. */
  readonly status: "draft" | "installing" | "installed" | "deleting";
  readonly enabled: boolean;
  readonly platform: string;
  readonly http: string;
  readonly php: string;
  readonly database: { readonly server: string; readonly service: string } | null;
  readonly uid: number;
  readonly title: string;
  readonly adminEmail: string;
  readonly adminUser: string;
  readonly options: unknown;
  readonly optionsVersion: number;
  readonly limits: z.output<typeof SiteLimitsSchema>;
}

/** Connects to this machine itself. */
export function local(): ConnectInput {
  return { type: "local" };
}

/** Connects over SSH; the host key is checked against the given fingerprints, always. */
export function ssh(options: {
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
  /** `SHA256:...` as `ssh-keygen -lf` prints it; several during a rotation. */
  readonly hostKey: string | readonly string[];
  readonly privateKey: Secret;
}): ConnectInput {
  return {
    type: "ssh",
    host: options.host,
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.user === undefined ? {} : { user: options.user }),
    hostKeys: typeof options.hostKey === "string" ? [options.hostKey] : [...options.hostKey],
    privateKey: options.privateKey,
  };
}
