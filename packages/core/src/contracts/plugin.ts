import type { PlatformDefinition, ServiceDefinition, ServiceKind } from "./definitions.ts";
import type { Operation } from "./operation.ts";
import type { Provider } from "./part.ts";
import type { AnyResourceType } from "./resource.ts";
import type { AnyTaskType } from "./task.ts";

export type {
  FactProbe,
  OptionsDefinition,
  PlatformDefinition,
  ServiceDefinition,
  ServiceKind,
  ServiceRoles,
  UnwantedUnit,
} from "./definitions.ts";

/** What must be loaded beside a plugin: another one by its npm name, or any that brings a service of a kind (and type). */
export type Requirement = { readonly plugin: string } | { readonly service: string; readonly type?: string };

/** What an npm package hands to `createHostwright`: stateless plain data and functions (decisions.md D43). */
export interface Plugin {
  /** npm package name. */
  readonly name: string;
  readonly contract: number;
  /** Without these the plugin is refused at start (HW_PLUGIN_INVALID). Default: none. */
  readonly requires?: readonly Requirement[];
  /** A kind belongs to one plugin: `runtime` or `backing`. */
  readonly kinds?: readonly ServiceKind[];
  readonly services?: readonly ServiceDefinition[];
  readonly platforms?: readonly PlatformDefinition[];
  readonly resourceTypes?: readonly AnyResourceType[];
  /**
   * Code that plans name by name and version: every version that an unfinished task may still hold stays listed beside
   * the present one (decisions.md D4). A name belongs to one plugin.
   */
  readonly operations?: readonly Operation[];
  /** Parts of an instance that it brings in place of the default ones: `[provide(PART.queue, ...)]`. Only one plugin may bring a given part. */
  readonly parts?: readonly Provider<unknown>[];
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
