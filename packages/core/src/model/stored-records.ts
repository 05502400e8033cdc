import * as z from "zod";

const text = z.string().min(1);
const options = { options: z.unknown(), optionsVersion: z.int().min(1) };
const place = z.looseObject({ server: text.optional(), service: text });

/** The services of a site, by kind. */
export const STORED_BINDINGS: z.ZodType = z.object({ http: place }).catchall(place);

/** What every record of a kind has; a later version may have written more. */
export const STORED: Readonly<Record<"server" | "platform" | "site", z.ZodType>> = {
  server: z.looseObject({
    id: text,
    name: text,
    connect: z.union([
      z.looseObject({ type: z.enum(["local", "ssh", "api"]) }),
      z.looseObject({ type: z.literal("cluster"), members: z.array(z.looseObject({ server: text })).min(1) }),
    ]),
    addresses: z.array(text),
    services: z.array(z.looseObject({ name: text, kind: text, type: text, ...options })),
  }),
  platform: z.looseObject({
    id: text,
    name: text,
    server: text,
    root: text,
    type: text,
    ...options,
    source: z.looseObject({ path: text }).nullable(),
    release: z.looseObject({ digest: text, version: z.string() }).nullable(),
  }),
  site: z.looseObject({
    id: text,
    domain: text,
    aliases: z.array(text),
    status: z.enum(["draft", "installing", "installed", "deleting"]),
    enabled: z.boolean(),
    platform: text,
    bindings: STORED_BINDINGS,
    uid: z.int().min(1),
    ...options,
  }),
};
