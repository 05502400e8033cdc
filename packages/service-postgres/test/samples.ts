import {
  resolveText,
  type BindingRequest,
  type Declared,
  type FileSpec,
  type ServerView,
} from "@hostwright/core/plugin";
import { PostgresOptions } from "../src/options.ts";

export function request(siteId: string, webHeads: BindingRequest["webHeads"] = ["local"]): BindingRequest {
  const password = { ref: "secret", id: `site/${siteId}/db-password`, label: "db password" } as const;
  return { siteId, domain: `${siteId}.example.com`, password, webHeads };
}

/** A database server as its functions see it. */
export function serverView(options: unknown = {}, rest: Partial<ServerView> = {}): ServerView {
  const service = { name: "db", kind: "db", type: "postgres", options: PostgresOptions.parse(options) };
  const addresses = ["10.0.0.5"];
  return { id: "d1", name: "db1", addresses, services: [service], service, facts: {}, peers: [], ...rest };
}

/** Of a file; nothing of anything else. */
export function contentOf({ spec }: Declared): string {
  const { content = "" } = spec as Partial<FileSpec>;
  return resolveText(content, () => "").trim();
}
