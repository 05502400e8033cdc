import { ListenAddresses, Port, type ServerView, type Target, type WithDefaults } from "@hostwright/core/plugin";
import * as z from "zod";

/** What an administrator may choose for the database service of one server; nothing has to be given. */
export interface PostgresOptionsInput {
  /** Major version, as Debian names packages and folders by it. From `16` on; default `17`, that of Debian 13. */
  readonly version?: string | undefined;
  /** Debian's name of the cluster. Default: `main`. */
  readonly cluster?: string | undefined;
  /** TCP port, also of the socket's name. Default: 5432. */
  readonly port?: number | undefined;
  /** IP addresses to listen on for web heads on other machines, besides the loopback. Default: none. */
  readonly listen?: string[] | undefined;
  /** Collation and character classes of new databases. Default: `C.UTF-8`, the same on every machine. */
  readonly locale?: string | undefined;
  /** Extensions that new databases are made with, for those that a site's own role may not create. Default: none. */
  readonly extensions?: string[] | undefined;
}

/** The options with their defaults. */
export type PostgresOptions = WithDefaults<PostgresOptionsInput>;

export const PostgresOptions: z.ZodType<PostgresOptions, PostgresOptionsInput> = z.strictObject({
  version: z
    .string()
    .regex(/^(1[6-9]|[2-9][0-9])$/, "a major version from 16 on, before which rules of access include no files")
    .default("17"),
  cluster: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,30}$/, "a cluster's name such as main")
    .default("main"),
  port: Port.default(5432),
  listen: ListenAddresses,
  locale: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_.@-]{0,40}$/, "a locale such as C.UTF-8 or de_DE.UTF-8")
    .default("C.UTF-8"),
  extensions: z.array(z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, "an extension such as pg_trgm")).default([]),
});

/** Of the service that a function is asked about. */
export const optionsOf = (server: ServerView): PostgresOptions => server.service.options as PostgresOptions;

/** Of the service that a resource type works for. */
export const optionsAt = (target: Target): PostgresOptions =>
  PostgresOptions.parse(target.serviceOptions("postgres") ?? {});

/** Socket, unit and folders by Debian's names. */
export function placesOf({ version, cluster, port }: Pick<PostgresOptions, "version" | "cluster" | "port">): {
  readonly socket: string;
  readonly unit: string;
  readonly config: string;
} {
  return {
    socket: `/run/postgresql/.s.PGSQL.${port}`,
    unit: `postgresql@${version}-${cluster}.service`,
    config: `/etc/postgresql/${version}/${cluster}`,
  };
}
