import type * as z from "zod";
import type { HttpRole } from "./roles/http.ts";
import type { RuntimeRole } from "./roles/runtime.ts";
import type { BackingRole, CacheRole } from "./roles/backing.ts";
import type { DatabaseRole } from "./roles/database.ts";
import type { PlatformRole } from "./platform.ts";
import type { Problem } from "./problem.ts";
import type { ServerView } from "./views.ts";

/** Stored options carry the version; an older one is migrated when it is read (decisions.md D4). */
export interface OptionsDefinition {
  /** Raised when stored options of the version before would no longer do; a record with a higher one is refused. */
  readonly version: number;
  /** Takes what it gives, its defaults included: options are stored as parsed, and may be judged again. */
  readonly schema: z.ZodType;
  /**
   * Options as this version takes them, from what an older version stored; the schema judges what it gives. Pure, and
   * asked at every read until the record is written again. Default: the options as they are.
   */
  migrate?(options: unknown, fromVersion: number): unknown;
}

/** A fact of a server, read together with all others in one round trip. */
export interface FactProbe {
  readonly argv: readonly string[];
  parse(result: { readonly exitCode: number; readonly stdout: string; readonly stderr: string }): unknown;
}

export interface UnwantedUnit {
  readonly package: string;
  readonly unit: string;
}

/** What core asks of the services of a kind, by the name of the contract. */
export interface ServiceRoles {
  readonly http: HttpRole;
  readonly runtime: RuntimeRole;
  readonly database: DatabaseRole;
  readonly cache: CacheRole;
  readonly backing: BackingRole;
}

/** A kind of service. Core brings `http`, `php` (a runtime), `db` and `cache`. */
export interface ServiceKind {
  /** What records, needs and bindings name: `search`. */
  readonly name: string;
  /** Raised when services of before can no longer be used as ones of this kind. */
  readonly version: number;
  /** For people, in plans: `search index`. */
  readonly title: string;
  /** Of a plugin's own kind, what core calls: `runtime` runs a site's code on its web server, `backing` keeps something for it. */
  readonly role: keyof ServiceRoles;
}

export interface ServiceDefinition<Role = ServiceRoles[keyof ServiceRoles]> {
  readonly kind: string;
  /** Of the kind that it is made for. Default: 1. */
  readonly kindVersion?: number;
  readonly type: string;
  readonly options: OptionsDefinition;
  /** What its kind asks for; more is its plugin's own. */
  readonly role: Role;
  /** Debian packages that the task `prepare` installs (decisions.md D31). */
  packages(options: unknown): readonly string[];
  /** Units that a package starts on its own and that sites must not have: stopped by the prepare that installed it. */
  unwantedUnits?(options: unknown): readonly UnwantedUnit[];
  /** Facts by name; they reach the pure functions as `view.facts`. */
  facts(options: unknown): Readonly<Record<string, FactProbe>>;
  /** Judges the facts: what is missing or dangerous. */
  problems(view: ServerView): readonly Problem[];
}

export interface PlatformDefinition {
  readonly type: string;
  readonly options: OptionsDefinition;
  /** Options of each site on it. */
  readonly siteOptions: OptionsDefinition;
  readonly role: PlatformRole;
}
