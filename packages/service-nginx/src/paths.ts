import type { Entry } from "@hostwright/core/plugin";

/** Everything that is ours on a server that runs nginx. */
export const ROOT = "/etc/hostwright/nginx";
/** Included outside of `http` by Debian. Interpreted patterns cost a static file a tenth of its time (`npm run bench -- serve`). */
export const COMPILED = { path: "/etc/nginx/modules-enabled/90-hostwright.conf", content: "pcre_jit on;\n" } as const;
/** Lines are written together, within a second. */
export const LOG = "access_log /var/log/nginx/hostwright.log hostwright buffer=64k flush=1s;";
/** Below 1024, so that no site can take the port or answer in nginx's name. */
export const STATUS = { port: 591, path: "/hostwright-generation" } as const;

/** Snippets travel with the generation, so that an entry and what it includes always fit; nginx loads only `*.conf` by itself. */
export function include({ name }: Entry): string {
  return `include ${ROOT}/current/${name};`;
}
