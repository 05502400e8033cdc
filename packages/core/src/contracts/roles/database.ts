import type { Declared } from "../resource.ts";
import type { DatabaseBinding, ServerView } from "../views.ts";
import type { Reference, Text } from "../../model/text.ts";

export interface DatabaseRequest {
  readonly siteId: string;
  readonly domain: string;
  readonly password: Reference;
  /** Address of each web head as the database server sees it; `local` when they are the same machine. */
  readonly webHeads: readonly ("local" | (string & {}))[];
}

/**
 * How the contents of a site's database leave it and enter another one of the same type, as one stream on the site's web
 * server: as the site's unix user, logged in as its own account (decisions.md D32).
 */
export interface DatabaseCopy {
  /** Writes all contents to its output. */
  readonly dump: readonly string[];
  /** Takes them from its input, into an empty database. */
  readonly load: readonly string[];
  /** What both may read at `/dev/fd/3`: where and as whom. It may hold the account's password, which is nowhere else. */
  readonly login: Text;
  /** With which the last line of a whole dump begins: without it the stream broke off. */
  readonly trailer: string;
  /** One of the programs, asked for its `--version` before anything is begun: where it is missing, so is `package`. */
  readonly program: string;
  /** Debian package that brings the programs. */
  readonly package: string;
}

/** Gives each site a database and an account that can reach that database only (decisions.md D32). */
export interface DatabaseRole {
  /** Wire protocol that platforms name: `mysql`, `postgres`. */
  readonly protocol: string;
  server(view: ServerView): readonly Declared[];
  /** Database, account and grants of one site. */
  site(request: DatabaseRequest, server: ServerView): readonly Declared[];
  /** How a web head connects; null address of the server means over its unix socket. */
  binding(request: DatabaseRequest, server: ServerView, fromAddress: string | null): DatabaseBinding;
  /** Default: none, and sites cannot move between servers of this type. */
  copy?(binding: DatabaseBinding, server: ServerView): DatabaseCopy;
}
