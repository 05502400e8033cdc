import type { Policy } from "./api/access.ts";
import type { Plugin } from "./contracts/plugin.ts";
import type { Provider } from "./di/container.ts";
import type { Secret } from "./model/secret.ts";

export interface HostwrightOptions {
  /** Folder of the state store, on a local disk; made with mode 0700, refused if others can enter it. */
  readonly stateDir: string;
  /** What the plugins' packages export; each once. */
  readonly plugins: readonly Plugin[];
  /**
   * Key that seals secrets and plans: base64 of 32 bytes (several: the first seals, all open), or the bytes. Given in
   * one way: itself, a file of mode 0600, or the name of an environment variable. Default: the file `key` in the state
   * folder, made on first use.
   */
  readonly key?: { readonly key?: Secret | Uint8Array; readonly file?: string; readonly env?: string };
  /** Range of the sites' unix ids, both ends included; default 20000 to 59999. An id is never used again. */
  readonly uids?: { readonly from: number; readonly to: number };
  /** Rules for actors other than the application itself; default: every actor may do everything. */
  readonly policy?: Policy;
  /** The application's own parts in place of default ones: `provide(PART.openServer, ...)`. Default: none. */
  readonly provide?: readonly Provider<unknown>[];
}
