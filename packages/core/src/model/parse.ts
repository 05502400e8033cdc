import type * as z from "zod";
import { HostwrightError } from "../errors/hostwright-error.ts";

/** Parses unknown input at the boundary. @throws HW_INPUT_INVALID naming each field; values are never repeated. */
export function parseInput<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { issues } = result.error;
  throw new HostwrightError("HW_INPUT_INVALID", `${what}: ${showIssues(issues)}. Nothing was changed.`, {
    data: { issues: issues.map(({ path, message }) => ({ field: path.join("."), message })) },
  });
}

/** Each with the field that it is about, unless it is about the whole. */
export function showIssues(issues: readonly z.core.$ZodIssue[]): string {
  return issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`)).join("; ");
}
