import * as z from "zod";
import type { ChildReport } from "../contracts/children-report.ts";

const Child: z.ZodType<ChildReport> = z.strictObject({
  task: z.string().nullable(),
  title: z.string(),
  state: z.enum(["queued", "running", "cancelling", "undoing", "succeeded", "undone", "needs-attention", "not-begun"]),
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
});

/** What became of the children of a task, which core adds to its value; `.extend({ ... })` with what else it gives back. */
export const childrenReport: z.ZodObject<
  {
    readonly total: z.ZodInt;
    readonly succeeded: z.ZodInt;
    readonly failed: z.ZodInt;
    readonly notBegun: z.ZodInt;
    readonly children: z.ZodType<readonly ChildReport[]>;
  },
  z.core.$strict
> = z.strictObject({
  total: z.int(),
  succeeded: z.int(),
  failed: z.int(),
  notBegun: z.int(),
  children: z.array(Child).readonly(),
});
