import { ALWAYS_DENIED, type PathPattern, type WebRules } from "@hostwright/core/plugin";
import { matchesPath } from "../../packages/core/src/model/own-rules.ts";

/** Is the path served from the site's own folder? */
export const isOwn = ({ ownPaths }: WebRules, path: string): boolean =>
  ownPaths.some(({ prefix }) => path.startsWith(prefix));

/** Paths that the pattern means; no application has them, but for those that it names in full. */
function samplesOf(pattern: PathPattern, below = "/"): readonly string[] {
  if ("exact" in pattern) return [pattern.exact];
  if ("prefix" in pattern) return [`${pattern.prefix}bait.css`, `${pattern.prefix}sub/bait.txt`];
  if ("segment" in pattern)
    return [`${below}bait/${pattern.segment}`, `${below}bait-folder/${pattern.segment}/inner.txt`];
  const under = pattern.under ?? below;
  return [`${under}bait${pattern.suffix}`, `${under}bait-folder/b${pattern.suffix}`];
}

/** Paths that the rules deny: one or two for each of the patterns that are always denied, and of the platform's own. */
export function deniedSamples(rules: WebRules): readonly string[] {
  const below = ["/", ...rules.ownPaths.map(({ prefix }) => prefix)];
  const always = below.flatMap((folder) => ALWAYS_DENIED.flatMap((pattern) => samplesOf(pattern, folder)));
  return [...new Set([...always, ...rules.denied.flatMap((pattern) => samplesOf(pattern))])];
}

export interface Aged {
  readonly path: string;
  readonly seconds: number;
}

/** For each of the rules for caches a file that it names, with the age of the first rule that does. */
export function agedSamples({ cache }: WebRules): readonly Aged[] {
  const name = "aged-bait";
  return cache.map(({ match }) => {
    const path =
      "prefix" in match
        ? `${match.prefix}${name}.css`
        : "suffix" in match
          ? `${match.under ?? "/"}${name}${match.suffix}`
          : samplesOf(match)[0];
    const first = cache.find((rule) => matchesPath(rule.match, path ?? ""));
    if (path === undefined || first === undefined) throw new Error(`no sample of ${JSON.stringify(match)}`);
    return { path, seconds: first.maxAgeSeconds };
  });
}
