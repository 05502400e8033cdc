import type { Detected, PlatformLayout, SourceReader } from "@hostwright/core/plugin";
import * as z from "zod";

export const layout: PlatformLayout = {
  docroot: "public",
  sourceAt: ".",
  mountPoints: [{ path: "public", kind: "directory" }],
};

const Manifest = z.object({
  version: z
    .string()
    .regex(/^[A-Za-z0-9.+_-]{1,100}$/)
    .catch("0.0.0"),
});

export async function detect(source: SourceReader): Promise<Detected | null> {
  const text = await source.text("package.json");
  return text === null ? null : manifestIn(text);
}

function manifestIn(text: string): Detected | null {
  try {
    return Manifest.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
