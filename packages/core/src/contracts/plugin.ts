import type * as z from "zod";
import type { Operation } from "./operation.ts";
import type { AnyResourceType } from "./resource.ts";
import type { HttpRole } from "./roles/http.ts";
import type { PhpRole } from "./roles/php.ts";
import type { CacheRole } from "./roles/cache.ts";
import type { DatabaseRole } from "./roles/database.ts";
import type { PlatformRole } from "./platform.ts";
import type { Problem } from "./problem.ts";
import type { AnyTaskType } from "./task.ts";
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

interface ServiceCommon {
  readonly type: string;
  readonly options: OptionsDefinition;
  /** Debian packages that the task `prepare` installs (decisions.md D31). */
  packages(options: unknown): readonly string[];
  /** Units that a package starts on its own and that sites must not have: stopped by the prepare that installed it. */
  unwantedUnits?(options: unknown): readonly UnwantedUnit[];
  /** Facts by name; they reach the pure functions as `view.facts`. */
  facts(options: unknown): Readonly<Record<string, FactProbe>>;
  /** Judges the facts: what is missing or dangerous. */
  problems(view: ServerView): readonly Problem[];
}

export type ServiceDefinition = ServiceCommon &
  (
    | { readonly kind: "http"; readonly role: HttpRole }
    | { readonly kind: "php"; readonly role: PhpRole }
    | { readonly kind: "db"; readonly role: DatabaseRole }
    | { readonly kind: "cache"; readonly role: CacheRole }
  );

export interface PlatformDefinition {
  readonly type: string;
  readonly options: OptionsDefinition;
  /** Options of each site on it. */
  readonly siteOptions: OptionsDefinition;
  readonly role: PlatformRole;
}

/** What must be loaded beside a plugin: another one by its npm name, or any that brings a service of a kind (and type). */
export type Requirement =
  | { readonly plugin: string }
  | { readonly service: ServiceDefinition["kind"]; readonly type?: string };

/** What an npm package hands to `createHostwright`: stateless plain data and functions (decisions.md D43). */
export interface Plugin {
  /** npm package name. */
  readonly name: string;
  readonly contract: number;
  /** Without these the plugin is refused at start (HW_PLUGIN_INVALID). Default: none. */
  readonly requires?: readonly Requirement[];
  readonly services?: readonly ServiceDefinition[];
  readonly platforms?: readonly PlatformDefinition[];
  readonly resourceTypes?: readonly AnyResourceType[];
  /**
   * Code that plans name by name and version: every version that an unfinished task may still hold stays listed beside
   * the present one (decisions.md D4). A name belongs to one plugin.
   */
  readonly operations?: readonly Operation[];
  /** Kinds of task that it brings, made by `defineTask`. A type belongs to one plugin. */
  readonly tasks?: readonly AnyTaskType[];
}

/** A service on a server's record, made by its plugin's typed builder. */
export interface ServiceDeclaration {
  readonly kind: string;
  readonly type: string;
  /** Default: the kind. Needed when a server has two of a kind. */
  readonly name?: string;
  readonly options: unknown;
}

/** A platform type with its options, made by its plugin's typed builder. */
export interface PlatformDeclaration {
  readonly type: string;
  readonly options: unknown;
}

/** A site's options for one platform type. */
export interface SiteDeclaration {
  readonly type: string;
  readonly options: unknown;
}

export interface ServicePlugin<Options> extends Plugin {
  /** Declares this service on a server: `nginx.service()`. */
  service(options?: Options, name?: string): ServiceDeclaration;
}

export interface PlatformPlugin<Options, SiteOptions> extends Plugin {
  /** Names this platform type with its options: `drupal.platform()`. */
  platform(options?: Options): PlatformDeclaration;
  /** Options of one site: `drupal.site({ profile: "standard" })`. */
  site(options?: SiteOptions): SiteDeclaration;
}
