import type { Declared } from "../resource.ts";
import type { DatabaseBinding, ServerView } from "../views.ts";
import type { Reference } from "../../model/text.ts";

export interface DatabaseRequest {
  readonly siteId: string;
  readonly domain: string;
  readonly password: Reference;
  /** Address of each web head as the database server sees it; `local` when they are the same machine. */
  readonly webHeads: readonly ("local" | (string & {}))[];
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
}
