import { toPcre, type UrlMatcher } from "@hostwright/core/plugin";
import { quoteToken } from "./quote.ts";

export type Lines = readonly string[];

/** Bytes of alternatives in one location: nginx limits the length of a token, and quoting may double them. */
const CHUNK_BYTES = 1500;

export function block(head: string, body: Lines): Lines {
  return [`${head} {`, ...body.map((line) => (line === "" ? "" : `    ${line}`)), "}"];
}

/** All are regular expressions, which nginx tries as they are written; what is nested in a plain one it would try first. */
export function locations(urls: UrlMatcher, body: Lines): Lines {
  return toPcre(urls, CHUNK_BYTES).flatMap((regex) => block(`location ~ ${quoteToken(regex)}`, body));
}

export const NOT_FOUND: Lines = ["return 404;"];
