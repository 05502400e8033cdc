import { ListenAddresses, Port, type WithDefaults } from "@hostwright/core/plugin";
import * as z from "zod";
import type { Flavour } from "./flavour.ts";

/** What an administrator may choose for the database service of one server; nothing has to be given. */
export interface MysqlOptionsInput {
  /** Which server it is: decides on package, unit, configuration folder and how passwords are kept. Default: `mariadb`. */
  readonly flavour?: Flavour | undefined;
  /** Unix socket of the server. Default: `/run/mysqld/mysqld.sock`. */
  readonly socket?: string | undefined;
  /** TCP port; matters only where `listen` names addresses. Default: 3306. */
  readonly port?: number | undefined;
  /**
   * IP addresses to listen on for web heads on other machines, besides the socket; they replace what the distribution
   * binds (127.0.0.1). Default: none, and the server's own setting is left alone.
   */
  readonly listen?: string[] | undefined;
  /** Character set of new databases. Default: `utf8mb4`. */
  readonly charset?: string | undefined;
  /** Their collation. Default: `utf8mb4_unicode_ci`, known to both flavours, so that sites can move between them. */
  readonly collation?: string | undefined;
}

/** The options with their defaults. */
export type MysqlOptions = WithDefaults<MysqlOptionsInput>;

const Socket = z
  .string()
  .max(107)
  .regex(/^\/[A-Za-z0-9._@+-]+(\/[A-Za-z0-9._@+-]+)*$/, "an absolute path without blanks or special characters")
  .refine((path) => !path.split("/").some((part) => part === "." || part === ".."), "a path without . and ..");

export const MysqlOptions: z.ZodType<MysqlOptions, MysqlOptionsInput> = z
  .strictObject({
    flavour: z.enum(["mariadb", "mysql"]).default("mariadb"),
    socket: Socket.default("/run/mysqld/mysqld.sock"),
    port: Port.default(3306),
    listen: ListenAddresses,
    charset: z
      .string()
      .regex(/^[a-z0-9]{2,32}$/, "a character set such as utf8mb4")
      .default("utf8mb4"),
    collation: z
      .string()
      .regex(/^[a-z0-9_]{2,64}$/, "a collation such as utf8mb4_unicode_ci")
      .default("utf8mb4_unicode_ci"),
  })
  .refine(({ charset, collation }) => collation === charset || collation.startsWith(`${charset}_`), {
    path: ["collation"],
    message: "a collation of the character set: its name begins with it",
  });
