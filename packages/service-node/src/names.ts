import { safeId } from "@hostwright/core/plugin";

export const PROGRAM = "/usr/bin/node";
export const LIBRARY_FOLDER = "/usr/local/lib/hostwright";
export const PRELOAD_PATH: string = `${LIBRARY_FOLDER}/hostwright-node.cjs`;

export const unitName = (siteId: string): string => `hostwright-node-${safeId(siteId)}`;
export const socketPath = (siteId: string): string => `/run/hostwright-node/${safeId(siteId)}.sock`;
