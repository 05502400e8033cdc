import * as z from "zod";

type Shape = {
  version: z.ZodDefault<z.ZodString>;
  maxIdleMinutes: z.ZodDefault<z.ZodInt>;
  opcacheMegabytes: z.ZodDefault<z.ZodInt>;
  timezone: z.ZodDefault<z.ZodString>;
};

/** What an administrator may choose for the PHP of one server. */
export const PhpFpmOptions: z.ZodObject<Shape, z.core.$strict> = z.strictObject({
  /** PHP release as Debian names its packages: `8.4`. */
  version: z
    .string()
    .regex(/^[0-9]\.[0-9]{1,2}$/, "a PHP release such as 8.4")
    .default("8.4"),
  /** Minutes without a request after which a site's workers end; its master follows within a minute. */
  maxIdleMinutes: z.int().min(1).max(1440).default(5),
  /** Shared memory for compiled code per running site, in MiB; only what is used counts. */
  opcacheMegabytes: z.int().min(16).max(4096).default(128),
  timezone: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/, "a name such as Europe/Berlin")
    // What PHP does not know it takes as UTC, with a warning at each start.
    .refine(isTimezone, "a time zone that there is, such as Europe/Berlin")
    .default("UTC"),
});

export type PhpFpmOptions = z.output<typeof PhpFpmOptions>;

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).format(0) !== "";
  } catch {
    return false;
  }
}
