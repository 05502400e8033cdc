import * as z from "zod";
import type { Declared, ResourceType } from "../contracts/resource.ts";
import { parseInput } from "../model/parse.ts";
import { QUOTES, type Text } from "../model/text.ts";

// A new version stands beside its target as `.<name>.hostwright-new` before it is renamed; names end at 255 bytes.
const LONGEST_NAME = 200;

function isPlainPath(path: string): boolean {
  if (!path.startsWith("/") || Buffer.byteLength(path) > 3000) return false;
  const names = path.slice(1).split("/");
  return names.every((name) => name !== "" && name !== "." && name !== ".." && Buffer.byteLength(name) <= LONGEST_NAME);
}

/** An absolute path without `.`, `..`, empty names or control characters. It is the resource's key: one thing, one path. */
export const Path: z.ZodType<string> = z
  .string()
  .refine(isPlainPath, "an absolute path without . or .., each name at most 200 bytes")
  .refine(isPlainText, "a path without line breaks or other control characters");

export function isPlainText(value: string): boolean {
  return value.isWellFormed() && !/\p{Cc}/u.test(value);
}

/** A unix user or group by name; its number is looked up on the server. */
export const UnixName: z.ZodType<string> = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,30}$/, "a unix name: lower-case letters, digits, _ and -, at most 31");

export const Mode: z.ZodType<number> = z.int().min(0).max(0o7777);

const Reference = z.strictObject({
  ref: z.literal("secret"),
  id: z.string().min(1),
  label: z.string(),
  quote: z.enum(QUOTES).exactOptional(),
  generate: z.literal("password").exactOptional(),
});

export const TextSchema: z.ZodType<Text> = z.union(
  [z.string(), z.strictObject({ parts: z.array(z.union([z.string(), Reference])).readonly() })],
  "a string, or what text`...` makes",
);

/** What an author's constructor gives: the input parsed early, so that a mistake is named where it was made. */
export function declare<Spec>(
  type: Pick<ResourceType<Spec>, "name" | "schema">,
  input: unknown,
  shared: boolean | undefined,
): Declared {
  const spec = parseInput(type.schema, input, `a resource of type ${type.name}`);
  return { type: type.name, spec, ...(shared === undefined ? {} : { shared }) };
}
