import type { BindingRequest, Reference, ServerView } from "@hostwright/core/plugin";
import { MysqlOptions } from "../src/options.ts";

export const passwordOf = (siteId: string): Reference => ({
  ref: "secret",
  id: `site/${siteId}/db-password`,
  label: "db password",
});

export function request(siteId: string, webHeads: BindingRequest["webHeads"] = ["local"]): BindingRequest {
  return { siteId, domain: `${siteId}.example.com`, password: passwordOf(siteId), webHeads };
}

/** A database server as its functions see it. */
export function serverView(options: unknown = {}, rest: Partial<ServerView> = {}): ServerView {
  const service = { name: "db", kind: "db", type: "mysql", options: MysqlOptions.parse(options) };
  return {
    id: "d1",
    name: "db1",
    addresses: ["10.0.0.5"],
    services: [service],
    service,
    facts: {},
    peers: [],
    ...rest,
  };
}
