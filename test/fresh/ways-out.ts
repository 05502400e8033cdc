import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { machineAptSettings } from "../../packages/testing/src/containers/mirror.ts";

/** Of the environment: how to reach a registry or mirror, and whom to trust there. */
const VARIABLES = /^((https?|ftp|all|no)_proxy|npm_config_registry|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)$/i;
/** Of npm's settings; its cache, its folders and its habits stay outside. */
const SETTINGS =
  /^\s*((registry|proxy|https-proxy|noproxy|cafile|ca|strict-ssl|fetch-\S+|maxsockets)\s*=|@[^:=]+:registry\s*=|\/\/)/;
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";

/** npm tells its scripts where its settings lie. */
async function npmSettings(): Promise<string> {
  const { npm_config_globalconfig: everyone, npm_config_userconfig: mine } = process.env;
  const files = [everyone, mine].filter((file) => file !== undefined && existsSync(file)) as string[];
  const lines = (await Promise.all(files.map((file) => readFile(file, "utf8")))).join("\n").split("\n");
  return `${lines.filter((line) => SETTINGS.test(line)).join("\n")}\n`;
}

export function environmentOfWaysOut(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      VARIABLES.test(name) && value !== undefined ? [[name, value]] : [],
    ),
  );
}

/** Gives a system this machine's way to Debian's mirror: what its apt needs to be told, and the certificates it trusts. */
export async function carryAptSettings(root: string): Promise<void> {
  await writeFile(join(root, "etc/apt/apt.conf.d/90machine"), await machineAptSettings());
}

/** Gives a system this machine's ways to names, mirrors and the npm registry, and nothing else of it. */
export async function carryWaysOut(root: string): Promise<void> {
  await carryAptSettings(root);
  await copyFile("/etc/resolv.conf", join(root, "etc/resolv.conf"));
  const npm = await npmSettings();
  await writeFile(join(root, "root/.npmrc"), npm, { mode: 0o600 });
  const named = [...Object.values(environmentOfWaysOut()), ...npm.split("\n").map((line) => line.split("=")[1] ?? "")];
  const paths = named.map((value) => value.trim().replaceAll('"', "")).filter((value) => value.startsWith("/"));
  for (const path of new Set([CERTIFICATES, ...paths])) {
    if (!existsSync(path)) continue;
    await mkdir(dirname(join(root, path)), { recursive: true });
    await copyFile(path, join(root, path));
  }
}
