import type {
  Bind,
  CodeNeeded,
  Detected,
  OwnFolder,
  PlatformLayout,
  SiteSeed,
  SourceReader,
} from "@hostwright/core/plugin";
import type { MediaWikiSiteOptions } from "./options.ts";

export const layout: PlatformLayout = {
  docroot: "web",
  sourceAt: "web",
  mountPoints: [
    { path: "web/LocalSettings.php", kind: "file" },
    { path: "web/images", kind: "directory" },
  ],
};

export const ownFolders = (): readonly OwnFolder[] => [{ path: "images" }];

/** The file that is mounted never changes; it loads those that do from the folder, where a new version is seen. */
export const MOUNTED = "mounted/LocalSettings.php";
export const SETTINGS = "settings.php";
export const SITE_CODE = "site.php";

export const confFolders = (): readonly string[] => [];

export function binds({ paths, platform }: SiteSeed): readonly Bind[] {
  return [
    { source: `${paths.conf}/${MOUNTED}`, at: `${platform.docroot}/LocalSettings.php`, writable: false },
    { source: `${paths.public}/images`, at: `${platform.docroot}/images`, writable: true },
  ];
}

export async function detect(source: SourceReader): Promise<Detected | null> {
  const [defines, entry] = await Promise.all([source.text("includes/Defines.php"), source.exists("load.php")]);
  const found = /define\(\s*'MW_VERSION',\s*'([^']+)'/.exec(defines ?? "")?.[1];
  return entry && found !== undefined ? { version: found } : null;
}

/** What every release holds is not looked for. */
export function codeNeeded(options: unknown): readonly CodeNeeded[] {
  const { language, skins, extensions } = options as MediaWikiSiteOptions;
  const messages = `${language.charAt(0).toUpperCase()}${language.slice(1)}`.replaceAll("-", "_");
  return [
    ...(language === "en"
      ? []
      : [{ path: `languages/messages/Messages${messages}.php`, what: `the language ${language}` }]),
    ...skins.filter((name) => name !== "Vector").map((name) => ({ path: `skins/${name}`, what: `the skin ${name}` })),
    ...extensions.map((name) => ({ path: `extensions/${name}`, what: `the extension ${name}` })),
  ];
}
