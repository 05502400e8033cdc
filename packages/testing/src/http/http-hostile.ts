import {
  NO_OWN_RULES,
  type OwnRules,
  type OwnRulesInput,
  type PathPattern,
  type SiteView,
  type WebRules,
} from "@hostwright/core/plugin";
import { OwnRulesSchema } from "@hostwright/core/testing";
import * as fc from "fast-check";
import { SEED } from "../hostile.ts";
import { wordpressRules } from "./http-samples.ts";
import { siteView } from "../views.ts";

const text = (units: string): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from(units), "\\z", "php"), minLength: 1, maxLength: 12 });

const nasty = fc.oneof(
  { weight: 60, arbitrary: text("ab/.*+?()[]{}|^\\\"'; #é~%,=&<>") },
  { weight: 1, arbitrary: text("a\n\t$\u0007\u007f") },
);

/** Where few web servers take any sign, the plain half of it lets the rest be tried. */
const mostlyPlain = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("a", "a-b", "c.d/e") },
  { weight: 1, arbitrary: nasty },
);

const pattern: fc.Arbitrary<PathPattern> = fc.oneof(
  nasty.map((exact) => ({ exact: `/${exact}` })),
  nasty.map((prefix) => ({ prefix: `/${prefix}/` })),
  nasty.map((segment) => ({ segment })),
  fc.tuple(nasty, nasty).map(([suffix, under]) => ({ suffix, under: `/${under}/` })),
);

const some = fc.array(pattern, { maxLength: 4 });

const scripts = fc.record({
  frontController: mostlyPlain.map((name) => `/${name}.php`),
  virtual: some,
  entryPoints: some,
  indexes: fc.array(
    mostlyPlain.map((name) => `/${name}/`),
    { maxLength: 2 },
  ),
  generated: some,
});

const rules: fc.Arbitrary<WebRules> = fc.record({
  scripts: fc.option(scripts),
  indexFile: mostlyPlain,
  ownPaths: fc.array(
    mostlyPlain.map((name) => ({ prefix: `/${name}/` })),
    { maxLength: 2 },
  ),
  denied: some,
  cache: fc.array(fc.record({ match: pattern, maxAgeSeconds: fc.integer({ min: 0 }) }), { maxLength: 3 }),
});

const sign = fc.constantFrom(...Array.from("ab/.*+?()[]{}|^\\\"'; #é~%,=&<>$:!@-_"), "%20", "%{", "\n", "expr=", "\\1");
const signs = fc.string({ unit: sign, maxLength: 12 });
const from = fc.oneof(
  signs.map((exact) => ({ exact: `/${exact}` })),
  signs.map((prefix) => ({ prefix: `/${prefix}/` })),
);

/** What owners may ask for, hostile values among it. */
const ownRulesInput: fc.Arbitrary<OwnRulesInput> = fc.record({
  redirects: fc.array(
    fc.record({
      from,
      to: fc.oneof(
        signs.map((to) => `/${to}/`),
        signs.map((to) => `https://shop.example/${to}/`),
      ),
      status: fc.constantFrom(301, 302, 307, 308),
    }),
    { maxLength: 4 },
  ),
  headers: fc.uniqueArray(fc.record({ name: signs.map((name) => `X-${name}`), value: signs }), {
    maxLength: 4,
    selector: ({ name }) => name,
  }),
  denied: fc.array(
    fc.oneof(
      from,
      signs.map((segment) => ({ segment })),
      signs.map((suffix) => ({ suffix })),
    ),
    { maxLength: 4 },
  ),
  allowFrom: fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom("10.0.0.0/8", "::/0", "2001:db8::/32"), signs), {
    maxLength: 4,
  }),
  basicAuth: fc.option(fc.record({ realm: signs, users: fc.constant(["anna"]) })),
});

/** Of these, each by itself, what the schema takes. */
function takenRules(input: OwnRulesInput): OwnRules {
  const one = <K extends keyof OwnRules>(key: K, value: unknown): OwnRules[K] | undefined => {
    const parsed = OwnRulesSchema.safeParse({ [key]: value });
    return parsed.success ? parsed.data[key] : undefined;
  };
  const each = <K extends "redirects" | "headers" | "denied" | "allowFrom">(key: K): OwnRules[K] =>
    (input[key] ?? []).flatMap((value) => (one(key, [value]) ?? []) as readonly unknown[]) as unknown as OwnRules[K];
  return {
    ...NO_OWN_RULES,
    redirects: each("redirects"),
    headers: each("headers"),
    denied: each("denied"),
    allowFrom: [...new Set(each("allowFrom"))],
    basicAuth: one("basicAuth", input.basicAuth) ?? null,
  };
}

/** Sites whose rules, titles and folders hold whatever a syntax may trip over. */
export function hostileSites(count: number): readonly { readonly value: string; readonly site: SiteView }[] {
  return fc
    .sample(fc.tuple(rules, mostlyPlain, nasty, ownRulesInput), { numRuns: count, seed: SEED })
    .map(([one, root, title, own], index) => {
      const site = siteView(`s${index}`, { rules: one, title, ownRules: takenRules(own) });
      return {
        value: JSON.stringify([one, root, title, own]),
        site: { ...site, paths: { ...site.paths, public: `/srv/${root}` } },
      };
    });
}

/** Sites of which only the owner's rules are hostile. */
export function hostileOwners(count: number): readonly { readonly value: string; readonly site: SiteView }[] {
  return fc.sample(ownRulesInput, { numRuns: count, seed: SEED }).map((own, index) => ({
    value: JSON.stringify(own),
    site: siteView(`o${index}`, { rules: wordpressRules, ownRules: takenRules(own) }),
  }));
}
