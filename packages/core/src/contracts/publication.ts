/**
 * One file of what a service publishes, put in force with all others as one generation (decisions.md D18). It is root's,
 * 0640, in folders of 0750.
 */
export interface Entry {
  /** File name within the generation, unique to whom it belongs: `<site id>.conf`. */
  readonly name: string;
  readonly content: string;
}

/** What a refusal of the whole configuration is due to. */
export interface Blame {
  /** Absolute path. */
  readonly file: string;
  /** In the service's own words, on one line. */
  readonly message: string;
}

/**
 * How the running service is asked which generation it has in force: by HTTP on the loopback, whose body is the number; or
 * by a command, argv run as root, which ends with 0 and prints that one number and no other, such as `"7"` or `ENV=7`. Each
 * answer has 2 s. Not its files are asked: they have the number before it does.
 */
export type PublicationStatus =
  | { readonly port: number; readonly path: string }
  | { readonly command: readonly string[] };

/** How a service, of whatever kind, takes a new generation of its configuration. All commands are argv and run as root. */
export interface Publication {
  /**
   * Folder of ours, root-owned: holds `entries/`, `generations/N/` and the link `current`. The same in all versions of a
   * plugin: a plan of an older one is published by a newer one (decisions.md D4).
   */
  readonly root: string;
  /** systemd unit of the service. Its reload keeps the main process and loses no request; one that does not run is started. */
  readonly unit: string;
  /** Tests the whole configuration; exit code 0 is good, the message names the file otherwise. */
  readonly test: readonly string[];
  /** Finds the file of a failure in the test's output; null if it names none. */
  blame(output: string): Blame | null;
  /** Log whose new lines explain a reload that failed, in the form of web servers (`[emerg]`). Default: the journal of the unit alone. */
  readonly errorLog?: string;
  readonly status: PublicationStatus;
  /**
   * Entry by which `status` comes to the number: its name is always the same, its text differs by the number alone. What the
   * service loads by itself ends as it does (`.conf`); entries of other endings are taken for what those include.
   */
  statusEntry(generation: number): Entry;
}
