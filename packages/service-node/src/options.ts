import * as z from "zod";

/** What an administrator may choose for the Node.js of one server: nothing yet. */
export const NodeOptions: z.ZodObject<Record<never, never>, z.core.$strict> = z.strictObject({});
export type NodeOptions = z.output<typeof NodeOptions>;
