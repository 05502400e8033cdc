import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./run.ts";

interface Source {
  uri: string;
  suite: string;
  components: string[];
}

const debianSuites = new Set(["bullseye", "bookworm", "trixie", "forky", "sid", "stable", "testing", "oldstable"]);

function oneLineSources(text: string): Source[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line);
    if (match === null) return [];
    const [, uri = "", suite = "", components = ""] = match;
    return [{ uri, suite, components: components.trim().split(/\s+/) }];
  });
}

function deb822Sources(text: string): Source[] {
  const withoutComments = text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n");
  return withoutComments.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = new Map<string, string[]>();
    for (const [, name = "", value = ""] of stanza.matchAll(/^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)/gm)) {
      fields.set(name.toLowerCase(), value.trim().split(/\s+/));
    }
    if (fields.get("enabled")?.[0] === "no" || !fields.get("types")?.includes("deb")) return [];
    const uris = fields.get("uris") ?? [];
    const suites = fields.get("suites") ?? [];
    const components = fields.get("components") ?? [];
    return uris.flatMap((uri) => suites.map((suite) => ({ uri, suite, components })));
  });
}

/** Parses an apt sources file of either format; `name` tells which. */
export function parseSources(name: string, text: string): Source[] {
  return name.endsWith(".sources") ? deb822Sources(text) : oneLineSources(text);
}

async function resolveMirrorList(uri: string): Promise<string | undefined> {
  const list = /^mirror\+file:(?:\/\/)?(\/.*)$/.exec(uri)?.[1];
  if (list === undefined) return uri;
  if (!existsSync(list)) return undefined;
  return (await readFile(list, "utf8"))
    .split("\n")
    .map((line) => line.trim().split(/\s+/)[0])
    .find((line) => line && !line.startsWith("#"));
}

/** The Debian mirror this machine uses; undefined where it uses none (debootstrap then takes its own default). */
export async function machineMirror(apt = "/etc/apt"): Promise<string | undefined> {
  const parts = join(apt, "sources.list.d");
  const names = existsSync(parts) ? (await readdir(parts)).toSorted().map((name) => join(parts, name)) : [];
  for (const file of [join(apt, "sources.list"), ...names]) {
    if (!/\.(list|sources)$/.test(file) || !existsSync(file)) continue;
    const sources = parseSources(file, await readFile(file, "utf8"));
    const debian = sources.find((source) => debianSuites.has(source.suite) && source.components.includes("main"));
    const mirror = debian === undefined ? undefined : await resolveMirrorList(debian.uri);
    if (mirror !== undefined) return mirror;
  }
  return undefined;
}

/** What this machine's apt needs to reach its mirror (proxies, dates of a snapshot), for an apt elsewhere. */
export async function machineAptSettings(): Promise<string> {
  const dump = await run("apt-config", ["dump"]);
  const wanted = /^Acquire::(http|https|Retries|ForceIPv4|ForceIPv6|Check-Valid-Until|Check-Date)\b.*"[^"]+";$/;
  return (
    dump
      .split("\n")
      .filter((line) => wanted.test(line))
      .join("\n") + "\n"
  );
}

/** debootstrap fetches with wget, which knows proxies only from its environment. */
export async function proxyEnvironment(): Promise<Record<string, string>> {
  const settings = await machineAptSettings();
  const proxy = /^Acquire::http::Proxy "([^"]+)";$/m.exec(settings)?.[1];
  return proxy === undefined || proxy === "DIRECT" ? {} : { http_proxy: proxy };
}
