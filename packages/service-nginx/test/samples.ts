import type { ServerView } from "@hostwright/core/plugin";

/** A server's view with the plugin's default options. */
export function serverView(
  facts: Readonly<Record<string, unknown>> = {},
  options: unknown = { httpPort: 80, ipv6: true },
): ServerView {
  const service = { name: "http", kind: "http", type: "nginx", options };
  return { id: "w1", name: "web1", addresses: ["10.0.0.1"], services: [service], service, facts, peers: [] };
}
