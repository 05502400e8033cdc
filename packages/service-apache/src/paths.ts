/** Everything that is ours on a server that runs Apache. */
export const ROOT = "/etc/hostwright/apache";
export const ENTRIES: string = `${ROOT}/entries`;
/** Sorts before every site: Apache takes the first virtual host of a listener for requests that name none. */
export const DEFAULT_ENTRY = "000-default.conf";
export const STATUS_ENTRY = "000-status.conf";
/** World-readable, unlike /var/lib/hostwright: certificate services put challenges there, Apache serves them. */
export const ACME_FOLDER = "/var/lib/hostwright-acme";
/** Below 1024, so that no site can take the port or answer in Apache's name. */
export const STATUS = { port: 592, path: "/hostwright-generation" } as const;
