import type {
  Bind,
  CodeNeeded,
  Detected,
  OwnFolder,
  PlatformLayout,
  SiteSeed,
  SourceReader,
} from "@hostwright/core/plugin";
import type { WordPressSiteOptions } from "./options.ts";

/**
 * `wp-config.php` is mounted in the document root and not above it: there it also covers one that the code ships
 * (Debian's package does), which WordPress would prefer.
 */
export const layout: PlatformLayout = {
  docroot: "web",
  sourceAt: "web",
  mountPoints: [
    { path: "web/wp-config.php", kind: "file" },
    { path: "web/wp-content", kind: "directory" },
  ],
};

export const ownFolders = (): readonly OwnFolder[] => [{ path: "wp-content" }];

/** The file that is mounted never changes; it loads those that do from the folder, where a new version is seen. */
export const MOUNTED = "mounted/wp-config.php";
export const SETTINGS = "settings.php";
export const SITE_CODE = "site.php";

export const confFolders = (): readonly string[] => [];

export function binds({ paths, platform }: SiteSeed): readonly Bind[] {
  return [
    { source: `${paths.conf}/${MOUNTED}`, at: `${platform.docroot}/wp-config.php`, writable: false },
    { source: `${paths.public}/wp-content`, at: `${platform.docroot}/wp-content`, writable: true },
  ];
}

export async function detect(source: SourceReader): Promise<Detected | null> {
  const [version, settings] = await Promise.all([
    source.text("wp-includes/version.php"),
    source.exists("wp-settings.php"),
  ]);
  const found = /^[ \t]*\$wp_version[ \t]*=[ \t]*'([^'\n]+)'/m.exec(version ?? "")?.[1];
  return settings && found !== undefined ? { version: found } : null;
}

/** The language's files; its own tongue is in the code. */
export function codeNeeded(options: unknown): readonly CodeNeeded[] {
  const { locale } = options as WordPressSiteOptions;
  if (locale === "en_US") return [];
  return [{ path: `wp-content/languages/${locale}.mo`, what: `the language ${locale}` }];
}
