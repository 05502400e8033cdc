import type { Declared } from "../contracts/resource.ts";
import type { Entry } from "../contracts/publication.ts";
import { directory } from "./directory.ts";
import { file } from "./file.ts";
import { generations } from "./generations.ts";
import { unit } from "./unit.ts";

/** World-readable, unlike /var/lib/hostwright: certificate services put challenges there, web servers serve them. */
export const ACME_FOLDER = "/var/lib/hostwright-acme";

export interface WebServerInput {
  /** `publication.root`, in `/etc/hostwright`: `/etc/hostwright/nginx`. */
  readonly root: string;
  /** `publication.unit`. */
  readonly unit: string;
  /** The one file by which the distribution's configuration includes `<root>/current/`. */
  readonly include: { readonly path: string; readonly content: string };
  /** What is published beside the sites' entries; names of what must come first sort before theirs: `000-default.conf`. */
  readonly entries: readonly Entry[];
}

/**
 * All that an http service declares for a server: its folders, `ACME_FOLDER`, entries, the include, a limit of 65,536 open
 * files, and the unit, enabled and active. @throws HW_INPUT_INVALID
 */
export function webServer({ root, unit: name, include, entries }: WebServerInput): readonly Declared[] {
  const dropIns = `/etc/systemd/system/${name}.d`;
  return [
    directory({ path: "/etc/hostwright", mode: 0o755, shared: true }),
    directory({ path: ACME_FOLDER, mode: 0o755, shared: true }),
    ...[root, `${root}/entries`].map((path) => directory({ path, mode: 0o750 })),
    generations({ root }),
    ...entries.map((entry) => file({ path: `${root}/entries/${entry.name}`, content: entry.content, mode: 0o640 })),
    file({ ...include, mode: 0o644 }),
    directory({ path: dropIns, mode: 0o755 }),
    file({ path: `${dropIns}/hostwright.conf`, content: "[Service]\nLimitNOFILE=65536\n", mode: 0o644 }),
    unit({ name, enabled: true, active: true }),
  ];
}
