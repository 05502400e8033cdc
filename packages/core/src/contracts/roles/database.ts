import type { Problem } from "../problem.ts";
import type { DatabaseBinding, ServerView } from "../views.ts";
import type { Text } from "../../model/text.ts";
import type { BackingRole, BindingRequest } from "./backing.ts";

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

/**
 * What tells before anything stops whether a site's database can go to another server of its type, and how much room it
 * takes there (decisions.md D33). Both commands run as root on the server in question; on each line of their output stand
 * a word, a tab and a value.
 */
export interface DatabaseMoving {
  /**
   * Asks the server of a database for its `bytes`, once, and for what it `needs` of any server, none or many times:
   * `extension pg_trgm`, `engine InnoDB`.
   */
  contents(database: string, server: ServerView): readonly string[];
  /**
   * Asks the other server, once each, for the `folder` of its databases (an absolute path) and for how many bytes of what
   * is loaded its `log` keeps beside them; and for what it `has`, in the words of `needs`.
   */
  offers(server: ServerView): readonly string[];
  /** What options and facts of both tell against it, as problems of the other one: another flavour, an older version. */
  problems(from: ServerView, to: ServerView): readonly Problem[];
}

/** Gives each site a database and an account that can reach that database only (decisions.md D32). */
export interface DatabaseRole extends BackingRole {
  binding(request: BindingRequest, server: ServerView, fromAddress: string | null): DatabaseBinding;
  /** Default: none, and sites cannot move between servers of this type. */
  copy?(binding: DatabaseBinding, server: ServerView): DatabaseCopy;
  /** Default: none, and a move finds out while the site is closed. */
  readonly moving?: DatabaseMoving;
}
