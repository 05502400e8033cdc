import type { OwnRules } from "../model/own-rules.ts";
import type { SiteLimits } from "../model/records.ts";
import type { Reference } from "../model/text.ts";
import type { WebRules } from "./web-rules.ts";

/** Plain frozen data that services and platforms render from. Pure functions get these and nothing else. */
export interface ServiceView {
  readonly name: string;
  readonly kind: string;
  readonly type: string;
  readonly options: unknown;
}

export interface ServerView {
  readonly id: string;
  readonly name: string;
  /** Addresses at which other servers reach it, first is preferred. */
  readonly addresses: readonly string[];
  readonly services: readonly ServiceView[];
  /** The service that is being asked, with its parsed options. */
  readonly service: ServiceView;
  /** Facts of that service, by the names in its definition. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Addresses of the other servers whose sites use this service (web heads of a database server). */
  readonly peers: readonly string[];
}

/** How a runtime answers: FastCGI for scripts, HTTP for a program that listens. */
export type RuntimeProtocol = "fastcgi" | "http";

/** What runs a site's code on its web server. */
export interface RuntimeView {
  /** `php`. */
  readonly kind: string;
  /** Program that it keeps running: absolute path. Null where it runs the scripts that URLs name. */
  readonly main: string | null;
  readonly protocol: RuntimeProtocol;
  /** Unix socket. */
  readonly socket: string;
}

/** How the site's code reaches a service that it is bound to. */
export interface Binding {
  /** Wire protocol that a platform names as supported: `redis`, `mysql`. */
  readonly protocol: string;
  readonly host: string;
  readonly port: number | null;
  /** Path of a unix socket; null when it goes over the network. */
  readonly socket: string | null;
  readonly user: string;
  readonly password: Reference;
}

export interface DatabaseBinding extends Binding {
  /** Of the database. */
  readonly name: string;
}

export interface CacheBinding extends Binding {
  /** Begins all that the site may name there: `s7k2m9xq4t:`. */
  readonly prefix: string;
}

/** By the kind of service. Those of a plugin's own kind are as its services give them. */
export interface Bindings {
  readonly db?: DatabaseBinding;
  readonly cache?: CacheBinding;
  readonly [kind: string]: Binding | DatabaseBinding | CacheBinding | undefined;
}

/** Part of a site's tree that its PHP sees inside the release's path. */
export interface Bind {
  /** Absolute path on the server. */
  readonly source: string;
  /** Absolute path at which PHP sees it. */
  readonly at: string;
  readonly writable: boolean;
}

export interface PlatformView {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  /** Root of the release: `/srv/platforms/wp-6.8`. */
  readonly root: string;
  /** Its folder that URLs map to: `/srv/platforms/wp-6.8/web`. */
  readonly docroot: string;
  readonly options: unknown;
}

export type { SiteLimits };

export interface SitePaths {
  /** `/srv/sites/<id>`, root:<group> 0750. */
  readonly home: string;
  /** Root-owned; settings, bound read-only for PHP. */
  readonly conf: string;
  /** Mirrors the URL space: root-owned skeleton, leaves owned by the site. */
  readonly public: string;
  /** 0700, the site's. */
  readonly private: string;
  /** 0700, the site's: uploads, sessions, temporary files. */
  readonly tmp: string;
}

/** All that is known of a site when its resources are declared. */
export interface SiteView {
  readonly id: string;
  readonly domain: string;
  readonly aliases: readonly string[];
  /** Answer aliases with a redirect to the main domain (default), or serve the site there too. */
  readonly aliasMode: "redirect" | "serve";
  readonly enabled: boolean;
  /** Unix user and group of the site (same name), with the same number everywhere. */
  readonly user: string;
  readonly uid: number;
  readonly paths: SitePaths;
  readonly platform: PlatformView;
  /** The site's options, parsed by its platform type. */
  readonly options: unknown;
  readonly title: string;
  readonly adminEmail: string;
  readonly adminUser: string;
  readonly limits: SiteLimits;
  readonly binds: readonly Bind[];
  readonly rules: WebRules;
  /** The site's own, which come last (decisions.md D20). */
  readonly ownRules: OwnRules;
  /** Users and password hashes of `ownRules.basicAuth`, for web servers in the format of htpasswd; only `webUser` may read it. */
  readonly passwordFile: string;
  /** What keeps something for the site, by the kind of service: `view.bindings.db`. */
  readonly bindings: Bindings;
  /** Null for a site that is a folder of files. */
  readonly runtime: RuntimeView | null;
  /** Unix user that the web server reads as: `www-data`. */
  readonly webUser: string;
  /** A secret of the site by its name (`salt`), made on first use and kept. */
  secret(name: string, label: string): Reference;
}
