/** Everything that is ours on a server that runs nginx. */
export const ROOT = "/etc/hostwright/nginx";
export const ENTRIES: string = `${ROOT}/entries`;
/** Snippets travel with the generation, so that an entry and what it includes always fit; nginx loads only `*.conf` by itself. */
export const ACME_SNIPPET = "acme.inc";
export const FASTCGI_SNIPPET = "fastcgi.inc";
/** Sorts before every site: nginx takes the first server of a listener for requests that name none. */
export const DEFAULT_ENTRY = "000-default.conf";
export const STATUS_ENTRY = "000-status.conf";
/** World-readable, unlike /var/lib/hostwright: certificate services put challenges there, nginx serves them. */
export const ACME_FOLDER = "/var/lib/hostwright-acme";
export const LOG = "access_log /var/log/nginx/hostwright.log hostwright;";
/** Below 1024, so that no site can take the port or answer in nginx's name. */
export const STATUS = { port: 591, path: "/hostwright-generation" } as const;

export function include(snippet: string): string {
  return `include ${ROOT}/current/${snippet};`;
}
