import type { BaseName } from "./base-recipe.ts";

/** A host that a test asks for. */
export interface HostSpec {
  /** The host's own name: letters, digits and dashes. */
  name: string;
  /** What is installed on it. Default: `debian`, which has everything but MySQL; `mysql` has MySQL alone. */
  base?: BaseName;
  /**
   * Debian packages that are installed beside those of the base; fetched when they are first asked for, then kept like the
   * base. Their services do not run by themselves. Default: none.
   */
  packages?: readonly string[];
  /** Units that run from the start, such as nginx, mariadb or what `packages` brought. Nothing else runs. Default: none. */
  services?: readonly string[];
  /** Paths that are small file systems of their own, such as { "/srv": "64M" }, to try a full disk. */
  smallDisks?: Readonly<Record<string, string>>;
  /** Size of a file system of its own for all that the host writes, such as "3G": needed for `losePower`. */
  ownDisk?: string;
}
