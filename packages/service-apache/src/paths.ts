/** Everything that is ours on a server that runs Apache. */
export const ROOT = "/etc/hostwright/apache";
/** Below 1024, so that no site can take the port or answer in Apache's name. */
export const STATUS = { port: 592, path: "/hostwright-generation" } as const;
