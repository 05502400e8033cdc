/** Code in the language of a runtime, which does to the site's surroundings what a hostile owner's code would. */
export interface RuntimeLanguage {
  /** Files of a release by their paths, the docroot being `web`: they evaluate the expression in a request's body, and answer with its value as JSON. */
  readonly files: Readonly<Record<string, string>>;
  /** What a runtime that speaks HTTP keeps running; null for scripts that URLs name. */
  readonly program: RuntimeProgram | null;
  /** Arguments after the interpreter's own, with which it prints the value of an expression as JSON. */
  evaluating(expression: string): readonly string[];
  /** `[uid, gid]` of the process. */
  readonly ids: string;
  readonly pid: string;
  /** Uids of all processes that are seen, each once. */
  readonly owners: string;
  /** Whether a signal may be sent to a process. */
  signals(pid: number): string;
  /** The names in each folder, false for one that cannot be read. */
  lists(folders: readonly string[]): string;
  /** Whether each path is there. */
  exist(paths: readonly string[]): string;
  /** Whether each path could be written. */
  writes(paths: readonly string[]): string;
  readable(path: string): string;
  reads(path: string): string;
  /** Whether each address could be listened at: `tcp://127.0.0.1:18099`, `unix:///tmp/own.sock`. */
  listens(addresses: readonly string[]): string;
  /** Whether a unix socket takes a connection. */
  connects(socket: string): string;
  /** Takes so much memory at once; its value is the number. */
  takes(bytes: number): string;
}

export interface RuntimeProgram {
  /** Among the files. It listens at this port, as if nobody had told it where to. */
  readonly main: string;
  readonly port: number;
  /** Writes a line to the error output. */
  logs(text: string): string;
  /** Answers after so many milliseconds. */
  waits(ms: number): string;
  /** Expressions that end the process: without an error, with one, by a signal. */
  readonly ends: readonly string[];
}
