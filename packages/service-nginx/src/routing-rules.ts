import type { WebSite, WebStep } from "@hostwright/core/plugin";
import { block, locations, NOT_FOUND, type Lines } from "./lines.ts";
import { headers, redirect } from "./own-rules.ts";
import { php } from "./php.ts";
import { program } from "./program.ts";
import { quoteLiteral } from "./quote.ts";

const MISSING = { page: "@front", pass: "@program", refuse: "=404", folder: "$uri/ =404" } as const;

/** The site's steps in their order. */
export function routingRules(site: WebSite): Lines {
  return [
    ...site.steps.flatMap((step) => locations(step.urls, answer(site, step))),
    ...(site.php === null ? [] : block("location @front", php(site, site.php.frontController))),
    ...(site.program === null ? [] : program(site.program)),
  ];
}

function answer(site: WebSite, step: WebStep): Lines {
  if (step.do === "refuse") return NOT_FOUND;
  if (step.do === "redirect") return redirect(step);
  if (step.do === "page") return php(site, step.script);
  // What a site rewrites in place would be cut to the length that is kept of it. Nobody writes to a release.
  const root = [`root ${quoteLiteral(step.root)};`, step.root === site.docroot ? "" : "open_file_cache off;"];
  if (step.do === "script") return [...root, "try_files $hw_script =404;", ...php(site, null)];
  const find = `try_files ${step.index === null ? "$uri" : `\${uri}${step.index}`} ${MISSING[step.missing]};`;
  const aged = site.ages.flatMap(({ urls, seconds }) => locations(urls, [`expires ${seconds}s;`, find]));
  // A location with headers of its own inherits none.
  return [...root, ...headers(site.fileHeaders), ...aged, find];
}
