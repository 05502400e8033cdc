import type { ServiceRecord } from "../model/records.ts";
import type { Problem } from "./problem.ts";
import type { ServedName } from "./roles/http.ts";

/** Something on a server that an installation may have made: its resource type and key, and the site or platform it is of. */
export interface Standing {
  readonly type: string;
  readonly key: string;
  readonly of: string;
}

/** What is read beside the rest. Each costs more, the more sites there are. */
export interface FactsWanted {
  /** What no new site may have: names that the web server holds, numbers in use. Default false. */
  readonly taken?: boolean;
  /** What stands there, whoever made it. Default false. */
  readonly standing?: boolean;
}

/** What was read of a server in one round trip. */
export interface ServerFacts {
  /** Of one of its services, as its plugin's `facts` name them. @throws HW_INTERNAL when its plugin could not make anything of them */
  of(service: ServiceRecord): Readonly<Record<string, unknown>>;
  /** Debian packages that services need and that are not installed. */
  readonly missingPackages: readonly string[];
  /** What the services' plugins object to, and what cannot be worked with. */
  readonly problems: readonly Problem[];
  /** Names that the web server serves from foreign files; empty unless what is taken was asked for. */
  readonly servedNames: readonly ServedName[];
  /** Everything that looks like an installation's; empty unless it was asked for. */
  readonly standing: readonly Standing[];
}

/** Which installation has a server: the one whose first change was made there, or that took it over (decisions.md D57). */
export interface Claim {
  readonly installation: string;
  /** ISO 8601, UTC, by the server's clock. */
  readonly since: string;
  /** For people: host and state folder of its hub. */
  readonly home: string;
}

/** Who has a server, and who asks. */
export interface ServerClaim {
  /** Null: nobody yet. */
  readonly holder: Claim | null;
  /** This installation's, as it would claim the server now. */
  readonly own: Claim;
}
