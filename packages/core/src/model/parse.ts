import type * as z from "zod";
import { HostwrightError } from "../errors/hostwright-error.ts";

/** Parses unknown input at the boundary. @throws HW_INPUT_INVALID naming each field; values are never repeated. */
export function parseInput<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => ({
    field: issue.path.join(".") || "(itself)",
    message: issue.message,
  }));
  throw new HostwrightError(
    "HW_INPUT_INVALID",
    `${what}: ${issues.map((issue) => `${issue.field}: ${issue.message}`).join("; ")}. Nothing was changed.`,
    { data: { issues } },
  );
}
