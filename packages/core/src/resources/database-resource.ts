import type { Change, ResourceType } from "../contracts/resource.ts";
import type { Sql } from "../model/sql.ts";
import type { DatabaseDriver, DatabaseSession } from "./database-session.ts";

/** One statement of a change; by itself, or in another database of the server. */
export type DatabaseStatement = Sql | { readonly database: string; readonly statement: Sql };

/** A resource type whose things stand in a database server: what differs from one to the next. */
export interface DatabaseResource<Spec, State, Session extends DatabaseSession> extends Omit<
  ResourceType<Spec, State>,
  "read" | "apply" | "clear"
> {
  readonly driver: DatabaseDriver<Session>;
  /** `database`, for people. */
  readonly what: string;
  /** Present states of at least one key, in one round trip. */
  readonly states: (session: Session, keys: readonly string[]) => Promise<ReadonlyMap<string, State>>;
  /** What makes a change; a thing is made only where none is. */
  readonly statements: (change: Change<State>, session: Session) => readonly DatabaseStatement[];
}
