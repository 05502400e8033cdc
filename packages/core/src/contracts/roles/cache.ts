import type { Declared } from "../resource.ts";
import type { Binding, ServerView } from "../views.ts";
import type { DatabaseRequest } from "./database.ts";

/** What a site asks of a service that it is bound to. */
export type BindingRequest = DatabaseRequest;

/** Gives sites that ask for it a place for what can be made again; none reads what another one keeps there. */
export interface CacheRole {
  /** Wire protocol that platforms name: `redis`. */
  readonly protocol: string;
  server(view: ServerView): readonly Declared[];
  /** Account of one site. */
  site(request: BindingRequest, server: ServerView): readonly Declared[];
  /** How a web head connects; null address of the server means on the same machine. */
  binding(request: BindingRequest, server: ServerView, fromAddress: string | null): Binding;
}
