import type { Removal, ResourceType, Target } from "../contracts/resource.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { fileType, type FileSpec } from "./file.ts";
import type { PathState } from "./path-state.ts";

export interface ReloadedFileInput {
  readonly name: string;
  readonly rank: number;
  readonly removal: Removal;
  /** The unit that reads the files, `postgresql@17-main.service`; when it does not run, it reads them at its start. */
  readonly unit: (target: Target) => string;
}

const RELOAD = `systemctl -q is-active "$1" || exit 0; exec systemctl reload "$1"`;

/**
 * A resource type of files, with the specs of `file`, that a service reads again whenever they change: it keeps running and
 * keeps its sessions, where a unit that is declared beside its files would be restarted.
 */
export function reloadedFileType({ unit, ...own }: ReloadedFileInput): ResourceType<FileSpec, PathState> {
  return {
    ...fileType,
    ...own,
    async apply(target, changes) {
      if (changes.length === 0) return;
      await fileType.apply(target, changes);
      const name = unit(target);
      const { exitCode, stderr } = await target.mutate({ script: RELOAD, args: [name] });
      if (exitCode === 0) return;
      throw new HostwrightError(
        "HW_COMMAND_FAILED",
        `${name} on ${target.server.name} does not take its new configuration. It was written all the same.`,
        { server: target.server.name, output: stderr.slice(0, 2000) },
      );
    },
  };
}
