import type { Bind, PlatformView, SiteView } from "./views.ts";
import type { Text, Reference } from "../model/text.ts";
import type { WebRules } from "./web-rules.ts";

/** A PHP program that ships with the plugin, is put on web servers root-owned, and is run in a site's sandbox. */
export interface Driver {
  /** File name: `wordpress.php`. */
  readonly name: string;
  readonly source: string;
}

/** A run of the platform's driver; input is sent as one JSON object on stdin, references put in at the last moment. */
export interface DriverCall {
  readonly command: string;
  readonly input: Readonly<Record<string, string | number | boolean | Reference>>;
  readonly timeoutMs: number;
  /** Binds for this call only: the release's own folder behind a mount, to copy from. */
  readonly binds?: readonly Bind[];
}

/** Folder of a site that its own user owns, below `public/`, such as `wp-content`. */
export interface OwnFolder {
  /** Relative to `public/`, no leading slash. */
  readonly path: string;
}

/** A settings file in the site's root-owned `conf/`; readable by the site's user only. */
export interface SettingsFile {
  /** Relative to `conf/`. */
  readonly path: string;
  readonly content: Text;
}

/** What must exist in a release so that parts of a site can be bound there. */
export interface MountPoint {
  /** Relative to the release's root. */
  readonly path: string;
  readonly kind: "file" | "directory";
}

export interface PlatformLayout {
  /** Folder that URLs map to, relative to the release: `web`. */
  readonly docroot: string;
  /** Where a plain source folder is put in the release: `web` for one that is itself the docroot, `.` for a whole project. */
  readonly sourceAt: string;
  readonly mountPoints: readonly MountPoint[];
}

/** Reads a source folder for `detect`: paths that exist, and text of small files. */
export interface SourceReader {
  exists(path: string): Promise<boolean>;
  /** Text of a file up to 1 MiB; null when it does not exist. */
  text(path: string): Promise<string | null>;
}

export interface Detected {
  readonly version: string;
}

/** A part of the code that a site's options ask for. */
export interface CodeNeeded {
  /** Relative to the source folder. */
  readonly path: string;
  /** For people: `the language de_DE`. */
  readonly what: string;
}

/** What a driver's `status` answers: read from the running application. */
export interface ApplicationStatus {
  readonly installed: boolean;
  readonly version: string;
}

/** What a platform's sites ask of the services of one kind. */
export interface Need {
  /** Of the service, preferred first: `["mysql"]`. Default: any. */
  readonly protocols?: readonly string[];
  /** Only sites that ask for it have it; no runtime is optional. Default: every site has it. */
  readonly optional?: true;
}

/**
 * Services that a platform's sites are bound to, by kind. A web server always is one. At most one is a runtime (`php`), and
 * others need one: nothing else of a site reaches them.
 */
export type Needs = Readonly<Record<string, Need>>;

/** A PHP application: how it is installed and asked. Without one there is nothing to install. */
export interface Application {
  readonly driver: Driver;
  /**
   * Copies initial content into the site's own folders, as the site's user, on each web head that is new to the site; what is
   * there stays. Null when there is none.
   */
  seed(view: SiteView): DriverCall | null;
  /** The application's own installer. May print `loginLink` as `loginLink` does, which saves a run of its own. */
  install(view: SiteView): DriverCall;
  /** Prints `{"loginLink"}`: a URL of the site that logs the administrator in once. */
  loginLink(view: SiteView): DriverCall;
  /** Prints `ApplicationStatus`. */
  status(view: SiteView): DriverCall;
}

/** Knows one kind of site: where its parts live, its settings, its URLs, its application. Pure but for the driver. */
export interface PlatformRole {
  /** `{ php: {}, db: { protocols: ["mysql"] } }`. Default: none, and a site is a folder of files. */
  readonly needs?: Needs;
  readonly layout: PlatformLayout;
  /** Needs `php`, which runs its driver. Default: none. */
  readonly application?: Application;
  /** Program of the release that a runtime which speaks HTTP keeps running, relative to the root: `server.js`. Default: none. */
  main?(site: SiteSeed): string;
  /** Version of the codebase, or null if it is not one of this platform. */
  detect(source: SourceReader): Promise<Detected | null>;
  /**
   * What a site's options ask of the code, by the path in the source where it lies: a language, an extension. A site is
   * refused when it is planned on a platform that lacks it. Default: nothing.
   */
  codeNeeded?(siteOptions: unknown): readonly CodeNeeded[];
  ownFolders(site: SiteSeed): readonly OwnFolder[];
  /** Folders in `conf/` besides those of settings files: mount points, root-owned. */
  confFolders(site: SiteSeed): readonly string[];
  binds(site: SiteSeed): readonly Bind[];
  webRules(site: SiteSeed): WebRules;
  settings(view: SiteView): readonly SettingsFile[];
}

/** What is known of a site before its view is complete. */
export interface SiteSeed {
  readonly id: string;
  readonly paths: SiteView["paths"];
  readonly platform: PlatformView;
  readonly options: unknown;
}
