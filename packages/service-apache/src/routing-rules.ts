import { toPcre, type WebSite, type WebStep } from "@hostwright/core/plugin";
import { NOT_FOUND, rule, type Lines } from "./lines.ts";
import { redirect } from "./own-rules.ts";
import { php } from "./php.ts";
import { pass } from "./program.ts";
import { quoteArgument } from "./quote.ts";

/** The site's steps in their order, by rewrite rules alone: Apache's own sections are judged in another order. */
export function routingRules(site: WebSite): Lines {
  return site.steps.flatMap((step) => toPcre(step.urls).flatMap((regex) => answer(site, step, regex)));
}

function answer(site: WebSite, step: WebStep, regex: string): Lines {
  if (step.do === "refuse") return rule(regex, "-", NOT_FOUND);
  if (step.do === "redirect") return redirect(regex, step);
  if (step.do === "page") return rule(regex, step.script, [php(site), "PT", "L"]);
  if (step.do === "script") {
    const file = `${quoteArgument(`${step.root}$1`)} -f`;
    return [...rule(regex, "-", [php(site), "L"], file), ...missing(site, regex)];
  }
  const [asked, file] = [`${step.root}%{REQUEST_URI}`, `%{REQUEST_URI}${step.index ?? ""}`];
  const noFile = `${quoteArgument(`${step.root}${file}`)} !-f`;
  return [
    ...(step.missing === "folder" ? rule(regex, "-", ["L"], `${quoteArgument(asked)} -d`) : []),
    ...(step.missing === "pass" ? pass(site, regex, noFile) : []),
    ...(step.missing === "page"
      ? rule(regex, site.php?.frontController ?? "-", [php(site), "PT", "L"], noFile)
      : missing(site, regex, noFile)),
    // Other URLs skip what follows; `^` is every URL.
    ...(regex === "^" ? [] : rule(`!${regex}`, "-", [`S=${site.ages.length + 1}`])),
    // The first that matches decides: it is asked last.
    ...site.ages
      .toReversed()
      .flatMap(({ urls, seconds }) => toPcre(urls).flatMap((aged) => rule(aged, "-", [`E=HOSTWRIGHT_AGE:${seconds}`]))),
    ...rule("^", step.index === null ? "-" : file, ["L"]),
  ];
}

/** With a password, only who gave it learns what is missing: Apache asks for it before it looks for a file, a rule does not. */
function missing({ basicAuth, own }: WebSite, regex: string, ...conditions: Lines): Lines {
  return basicAuth === null
    ? rule(regex, "-", NOT_FOUND, ...conditions)
    : rule(regex, `${own.folder}/.missing`, ["L"], ...conditions);
}
