import { HostwrightError } from "../errors/hostwright-error.ts";

/** How a value is quoted where it is spliced in (decisions.md D28). */
export const QUOTES = ["none", "php", "json", "environment-file"] as const;
export type Quote = (typeof QUOTES)[number];

/** Stands for a secret in plans, diffs, hashes and stores; its value is put in at the write (decisions.md D3). */
export interface Reference {
  readonly ref: "secret";
  /** Id in the secret store, such as `site/s7k2m9xq4t/db-password`. */
  readonly id: string;
  /** What a reader of the plan sees: `<db password>`. */
  readonly label: string;
  readonly quote?: Quote;
  /**
   * What is made where there is none, by whatever task first needs it: 32 letters and digits. Default: nothing, since
   * somebody has to give it.
   */
  readonly generate?: "password";
}

/** A secret that work refers to. */
export type NeededSecret = Pick<Reference, "id" | "generate">;

/** Text with references. A plain string has none. */
export type Text = string | { readonly parts: readonly (string | Reference)[] };

export type Resolve = (reference: Reference) => string;

/** Builds a `Text`: text`password=${ref};`. Strings are taken as they are: quote them yourself. */
export function text(strings: TemplateStringsArray, ...values: readonly (Text | Reference)[]): Text {
  const parts: (string | Reference)[] = [];
  strings.forEach((literal, index) => {
    parts.push(literal);
    const value = values[index];
    if (value === undefined) return;
    if (typeof value === "string" || "ref" in value) parts.push(value);
    else for (const part of value.parts) parts.push(part);
  });
  return textOf(parts);
}

export function textOf(parts: readonly (string | Reference)[]): Text {
  const merged: (string | Reference)[] = [];
  for (const part of parts) {
    const last = merged.at(-1);
    if (typeof part === "string" && typeof last === "string") merged[merged.length - 1] = last + part;
    else merged.push(part);
  }
  if (merged.every((part) => typeof part === "string")) return merged.join("");
  return { parts: merged.filter((part) => part !== "") };
}

export function referencesOf(value: Text): readonly Reference[] {
  return typeof value === "string" ? [] : value.parts.filter((part) => typeof part !== "string");
}

/** The text as a person may see it: references by their label. */
export function showText(value: Text): string {
  if (typeof value === "string") return value;
  return value.parts.map((part) => (typeof part === "string" ? part : `<${part.label}>`)).join("");
}

/** The text as it is written to a server. The result may hold secrets: never store or print it. */
export function resolveText(value: Text, resolve: Resolve): string {
  if (typeof value === "string") return value;
  return value.parts
    .map((part) => (typeof part === "string" ? part : quoteValue(resolve(part), part.quote ?? "none")))
    .join("");
}

/** A reference that will be quoted for the given syntax when it is put in. */
export function quoted(reference: Reference, quote: Quote): Reference {
  return { ...reference, quote };
}

/** Quotes a value as a literal of the given syntax. @throws HW_QUOTE_REFUSED for what has no safe form. */
export function quoteValue(value: string, quote: Quote): string {
  if (value.includes("\0"))
    throw new HostwrightError("HW_QUOTE_REFUSED", "A value holds a NUL byte, which no text may hold.");
  switch (quote) {
    case "none":
      return value;
    case "json":
      return JSON.stringify(value);
    // PHP single quotes know two escapes only: \\ and \' (php.net, Strings, Single quoted).
    case "php":
      return `'${value.replace(/[\\']/g, "\\$&")}'`;
    // systemd.exec(5), EnvironmentFile=: escapes of a shell. It would leave out a variable with control characters, and
    // the whole file for what is no character of Unicode; a line's end inside of quotes many readers do not know.
    case "environment-file":
      if (/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(value))
        throw new HostwrightError("HW_QUOTE_REFUSED", "A value holds what cannot stand in a file of variables.");
      return `"${value.replace(/["\\`$]/g, "\\$&")}"`;
  }
}
