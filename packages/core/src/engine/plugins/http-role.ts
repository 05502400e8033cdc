import type { ServiceDefinition } from "../../contracts/plugin.ts";
import type { HttpRole } from "../../contracts/roles/http.ts";

/** What a web server's plugin brings; null of any other service. */
export function httpRole(definition: ServiceDefinition | undefined): HttpRole | null {
  // The plugins were judged by their kind when they were loaded.
  return definition?.kind === "http" ? (definition.role as HttpRole) : null;
}
