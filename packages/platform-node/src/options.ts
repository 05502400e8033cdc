import * as z from "zod";

type Shape = { main: z.ZodDefault<z.ZodString> };

/** What holds for every site of a platform. */
export const NodeAppOptions: z.ZodObject<Shape, z.core.$strict> = z.strictObject({
  /** Program that Node.js runs, relative to the project. */
  main: z
    .string()
    .regex(
      /^(?!public\/)(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*[A-Za-z0-9_-][A-Za-z0-9._-]*$/,
      "a path in the project, outside of public/: letters, digits, ._- and slashes",
    )
    .default("server.js"),
});
export type NodeAppOptions = z.output<typeof NodeAppOptions>;

/** What a single site may differ in: nothing yet. */
export const NodeAppSiteOptions: z.ZodObject<Record<never, never>, z.core.$strict> = z.strictObject({});
export type NodeAppSiteOptions = z.output<typeof NodeAppSiteOptions>;
