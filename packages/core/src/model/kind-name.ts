import * as z from "zod";

/** Name of a kind of service: `db`. No word that every object knows: needs and bindings are plain objects. */
export const KindName: z.ZodType<string, string> = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, "is not lower-case letters, digits and dashes, 31 at most")
  .refine((name) => !(name in {}), "is a word of JavaScript's own");
