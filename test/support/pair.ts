import type { CHOICES } from "../../demo/choices.ts";

/** Which web server, and which database. */
export interface Pair {
  readonly http: keyof typeof CHOICES.http;
  readonly db: keyof typeof CHOICES.db;
}
