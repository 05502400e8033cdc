import type { Re2Term } from "@hostwright/core/plugin";

/** What an expression of `toPcre()` or `toRe2()` is in JavaScript, which has no `\z`; `*+` only is faster than `*`. */
function inJavaScript(expression: string): RegExp {
  const [head = "", flags = ""] = /^\(\?(si?)\)/.exec(expression) ?? [];
  const body = expression.slice(head.length).replaceAll("\\z", "$").replaceAll("*+", "*");
  return new RegExp(body, flags);
}

/** The groups of the first expression that matches; null: none does. */
export function byPcre(expressions: readonly string[], path: string): Readonly<Record<string, string>> | null {
  const found = expressions.map((one) => inJavaScript(one).exec(path)).find((match) => match !== null);
  return found === undefined ? null : { ...found.groups };
}

/** The groups of the first term that matches; null: none does. */
export function byRe2(terms: readonly Re2Term[], path: string): Readonly<Record<string, string>> | null {
  for (const { every, none } of terms) {
    const found = every.map((one) => inJavaScript(one).exec(path));
    if (found.includes(null) || none.some((one) => inJavaScript(one).test(path))) continue;
    return Object.assign({}, ...found.map((match) => match?.groups)) as Readonly<Record<string, string>>;
  }
  return null;
}
