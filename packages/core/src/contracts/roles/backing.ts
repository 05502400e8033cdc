import type { Publication } from "../publication.ts";
import type { Declared } from "../resource.ts";
import type { Binding, CacheBinding, ServerView } from "../views.ts";
import type { Reference } from "../../model/text.ts";

/** What a site asks of a service that it is bound to. */
export interface BindingRequest {
  readonly siteId: string;
  readonly domain: string;
  readonly password: Reference;
  /** Address of each web head as the service's server sees it; `local` when they are the same machine. */
  readonly webHeads: readonly ("local" | (string & {}))[];
}

/** Keeps something for each site that is bound to it, on any server; none reads what another one keeps there. */
export interface BackingRole {
  /** Wire protocol that platforms name: `redis`, `mysql`. */
  readonly protocol: string;
  /** What of its configuration comes into force as generations. Default: nothing does; it has its files and units alone. */
  readonly publication?: Publication;
  server(view: ServerView): readonly Declared[];
  /** Account of one site, and what it has there. */
  site(request: BindingRequest, server: ServerView): readonly Declared[];
  /** How a web head connects; `fromAddress` null: it is on the same machine, which a unix socket serves. */
  binding(request: BindingRequest, server: ServerView, fromAddress: string | null): Binding;
}

/** Keeps what can be made again. */
export interface CacheRole extends BackingRole {
  binding(request: BindingRequest, server: ServerView, fromAddress: string | null): CacheBinding;
}
