import type { Bind, Detected, OwnFolder, PlatformLayout, SiteSeed, SourceReader } from "@hostwright/core/plugin";

/** A composer project, its `web/sites` covered by the site's own: the site sees itself as the only one. */
export const layout: PlatformLayout = {
  docroot: "web",
  sourceAt: ".",
  mountPoints: [{ path: "web/sites", kind: "directory" }],
};

/** Relative to `web/` as to `public/`. */
export const FILES = "sites/default/files";

/** The folder is mounted and not the file in it, so that a new version of that is seen at once. */
export const SETTINGS = "sites/default/settings.php";

export const ownFolders = (): readonly OwnFolder[] => [{ path: FILES }];

/** `files` is only the place where the site's own folder is mounted. */
export const confFolders = (): readonly string[] => ["sites", "sites/default", FILES];

export function binds({ paths, platform }: SiteSeed): readonly Bind[] {
  return [
    { source: `${paths.conf}/sites`, at: `${platform.docroot}/sites`, writable: false },
    { source: `${paths.public}/${FILES}`, at: `${platform.docroot}/${FILES}`, writable: true },
  ];
}

export async function detect(source: SourceReader): Promise<Detected | null> {
  const [code, autoloader] = await Promise.all([
    source.text("web/core/lib/Drupal.php"),
    source.exists("vendor/autoload.php"),
  ]);
  const found = /^[ \t]*const VERSION[ \t]*=[ \t]*'([^'\n]+)'/m.exec(code ?? "")?.[1];
  return autoloader && found !== undefined ? { version: found } : null;
}
