import { spellings, type Redirect } from "../../model/own-rules.ts";
import type { SiteView } from "../../contracts/views.ts";
import type { CacheRule, PathPattern, WebRules } from "../../contracts/web-rules.ts";
import { ALWAYS_DENIED } from "./always-denied.ts";
import { plainName, plainPath } from "./plain.ts";
import { validMatcher, type UrlMatcher } from "./url-matcher.ts";

/** What becomes of a URL that a step is for. */
export type WebAnswer =
  /** 404. */
  | { readonly do: "refuse" }
  | {
      readonly do: "redirect";
      /** A percent-encoded path of the site or a whole URL, without query; the visitor's query goes behind it. */
      readonly to: string;
      readonly status: Redirect["status"];
      /**
       * Regular expression from the start of the path as the visitor wrote it, percent-encoded: its one group, `hw_rest`, goes
       * behind `to`; a URL that it does not match is answered with 404. Null: nothing goes behind.
       */
      readonly rest: string | null;
    }
  /** This script of the release answers, whatever the URL: `/index.php`. */
  | { readonly do: "page"; readonly script: string }
  /**
   * The script below `root` that the URL names, with the path behind it: the groups `hw_script` and `hw_info` of `toPcre()`
   * and `toRe2()`. 404 where there is no such file.
   */
  | { readonly do: "script"; readonly root: string }
  | {
      /** The file below `root`. */
      readonly do: "file";
      readonly root: string;
      /** The file of this name in the folder that the URL names; null: the URL names the file. */
      readonly index: string | null;
      /**
       * Where there is none: the front controller answers (`page`), the site's program (`pass`), or 404. `folder`: where the
       * URL names a folder, 301 to the same with a slash behind it, and with its query; else 404.
       */
      readonly missing: "page" | "pass" | "refuse" | "folder";
    };

/** One step of judging a URL. Of a site's steps the first whose `urls` match decides. */
export type WebStep = WebAnswer & { readonly urls: UrlMatcher };

/** Seconds for which files may be kept. */
export interface CacheAge {
  readonly urls: UrlMatcher;
  readonly seconds: number;
}

/** Hidden files and folders, but for /.well-known/. */
const HIDDEN: UrlMatcher = { looksLike: "hidden" };

/** Refused by `HIDDEN` already, and not asked for again. */
const isHidden = (pattern: PathPattern): boolean =>
  "segment" in pattern && pattern.segment.startsWith(".") && pattern.segment !== ".well-known";

/** What is for no URL is left out. */
const on = (urls: UrlMatcher, answer: WebAnswer): readonly WebStep[] =>
  isEmpty(urls) ? [] : [{ ...answer, urls: validMatcher(urls) }];

function isEmpty(urls: UrlMatcher): boolean {
  return "any" in urls ? urls.any.length === 0 : "all" in urls && urls.all.some(isEmpty);
}

/** The routing rules of `WebRules`, in their order. The last step is for every URL. */
export function stepsOf({ rules, ownRules, platform, paths, runtime }: SiteView): readonly WebStep[] {
  const own: UrlMatcher = { any: rules.ownPaths };
  const { frontController = "", virtual: neverFiles = [], indexes = [], generated = [] } = rules.scripts ?? {};
  const virtual = on({ any: neverFiles }, { do: "page", script: frontController });
  const refused = [...ALWAYS_DENIED, ...rules.denied].filter((pattern) => !isHidden(pattern));
  const denied: UrlMatcher = { any: [HIDDEN, ...refused] };
  return [
    ...on({ any: ownRules.denied }, { do: "refuse" }),
    // What is denied stays so: a redirect is judged after it, and before what the platform makes of a URL.
    ...(ownRules.redirects.length === 0
      ? [...virtual, ...on(denied, { do: "refuse" })]
      : [
          ...on({ all: [{ not: { any: neverFiles } }, denied] }, { do: "refuse" }),
          ...ownRules.redirects.flatMap(redirectStep),
          ...virtual,
        ]),
    ...indexes.flatMap((folder) => [
      ...on({ exact: folder }, { do: "page", script: plainPath(`${folder}index.php`) }),
      ...on({ exact: folder.slice(0, -1) }, redirectTo(plainPath(folder))),
    ]),
    ...scripts(rules, "own").flatMap((urls) => on(urls, { do: "script", root: paths.public })),
    ...scripts(rules, "release").flatMap((urls) => on(urls, { do: "script", root: platform.docroot })),
    // Also with a path behind it: `/uploads/a.jpg/x.php`, `/uploads/x.php/a.jpg`.
    ...on({ looksLike: "php" }, { do: "refuse" }),
    ...on({ all: [own, { any: generated }] }, file(paths.public, "page")),
    ...on(own, file(paths.public, "refuse")),
    ...filesOf(platform.docroot, rules, runtime),
  ];
}

type Missing = Extract<WebAnswer, { do: "file" }>["missing"];

function file(root: string, missing: Missing, index: string | null = null): WebAnswer {
  return { do: "file", root, index, missing };
}

function filesOf(root: string, { scripts, indexFile }: WebRules, runtime: SiteView["runtime"]): readonly WebStep[] {
  const missing = scripts !== null ? "page" : runtime?.protocol === "http" ? "pass" : "refuse";
  if (indexFile === undefined) return on({ all: [] }, file(root, missing));
  return [
    ...on({ suffix: "/" }, file(root, missing, plainName(indexFile))),
    ...on({ all: [] }, file(root, missing === "refuse" ? "folder" : missing)),
  ];
}

function redirectTo(to: string, status: Redirect["status"] = 301, rest: string | null = null): WebAnswer {
  return { do: "redirect", to, status, rest };
}

function redirectStep({ from, to, status }: Redirect): readonly WebStep[] {
  if ("exact" in from) return on(from, redirectTo(to, status));
  // Behind a target that ends with a slash another one would name another host.
  const rest = `${spellings(from.prefix)}(?<hw_rest>(?:[^/\\x5c?# ][^?# ]*)?)(?:[?# ]|\\z)`;
  return on(from, redirectTo(to, status, rest));
}

function mayBeBelow(pattern: PathPattern, prefix: string): boolean {
  const start = "prefix" in pattern ? pattern.prefix : "suffix" in pattern ? (pattern.under ?? "") : "";
  return start.startsWith(prefix) || prefix.startsWith(start);
}

/**
 * Executable scripts in the site's own folder or in the release. Only one that is named exactly takes a path behind it
 * (`/index.php/node/1`): behind a pattern, `/internal.php/ajax.php` would run what the pattern does not name.
 */
function scripts(rules: WebRules, where: "own" | "release"): readonly UrlMatcher[] {
  const own = rules.ownPaths.map(({ prefix }) => prefix);
  if (rules.scripts === null) return [];
  const { frontController, entryPoints = [] } = rules.scripts;
  const entries: readonly PathPattern[] = [{ exact: frontController }, ...entryPoints];
  const exact = entries.flatMap((entry) => ("exact" in entry ? [entry.exact] : []));
  const here = exact.filter((path) => own.some((prefix) => path.startsWith(prefix)) === (where === "own"));
  const patterns = entries.filter(
    (entry) => !("exact" in entry) && (where === "release" || own.some((prefix) => mayBeBelow(entry, prefix))),
  );
  return [
    { any: here.map((script) => ({ script })) },
    { all: [...(where === "own" ? [{ any: rules.ownPaths }] : []), { any: patterns }, { scriptSuffix: ".php" }] },
  ];
}

/** Neighbours of one age together, in their order: the first that matches decides. */
export function agesOf(cache: readonly CacheRule[]): readonly CacheAge[] {
  const groups: { seconds: number; matches: PathPattern[] }[] = [];
  for (const { match, maxAgeSeconds } of cache) {
    const seconds = Math.max(0, Math.trunc(maxAgeSeconds)) || 0;
    if (groups.at(-1)?.seconds !== seconds) groups.push({ seconds, matches: [] });
    groups.at(-1)?.matches.push(match);
  }
  return groups.map(({ seconds, matches }) => ({ urls: validMatcher({ any: matches }), seconds }));
}
