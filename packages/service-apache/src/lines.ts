import { quoteArgument } from "./quote.ts";

export type Lines = readonly string[];

export function block(name: string, argument: string, body: Lines): Lines {
  return [`<${name} ${argument}>`, ...body.map((line) => (line === "" ? "" : `    ${line}`)), `</${name}>`];
}

/** With conditions on the server's own view of the path; a substitution of `-` changes nothing. */
export function rule(regex: string, substitution: string, flags: Lines, ...conditions: Lines): Lines {
  return [
    ...conditions.map((condition) => `RewriteCond ${condition}`),
    `RewriteRule ${quoteArgument(regex)} ${quoteArgument(substitution)} ${quoteArgument(`[${flags.join(",")}]`)}`,
  ];
}

export const NOT_FOUND: Lines = ["R=404", "L"];
