import { safeId } from "@hostwright/core/plugin";

/** Where everything of this service lies on a server. */
export const CONFIG_FOLDER = "/etc/hostwright/php";
export const SOCKET_FOLDER = "/run/hostwright-php";
export const REAPER = "hostwright-php-reap";
export const REAPER_SCRIPT = "/usr/local/lib/hostwright/hostwright-php-reap";

export const unitName = (siteId: string): string => `hostwright-php-${safeId(siteId)}`;
export const poolPath = (siteId: string): string => `${CONFIG_FOLDER}/${safeId(siteId)}.conf`;
export const socketPath = (siteId: string): string => `${SOCKET_FOLDER}/${safeId(siteId)}.sock`;
