import type { ServiceKind } from "../contracts/plugin.ts";

/** Kinds of service that core's own tasks know by name. */
export const CORE_KINDS: readonly ServiceKind[] = [
  { name: "http", version: 1, title: "web server", role: "http" },
  { name: "php", version: 1, title: "PHP", role: "runtime" },
  { name: "db", version: 1, title: "database", role: "database" },
  { name: "cache", version: 1, title: "cache", role: "cache" },
];
