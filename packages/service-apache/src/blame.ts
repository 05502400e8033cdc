export interface Blame {
  readonly file: string;
  readonly message: string;
}

/** The file, if any, that Apache names as the reason: `AH00526: Syntax error on line 3 of /etc/apache2/a.conf:` and a line. */
export function blame(output: string): Blame | null {
  const lines = output.split("\n");
  for (const [index, line] of lines.entries()) {
    const file = /(?:rror on line \d+ of|<\S+ \S+> was not closed\.|in file) (\/[^:]+):?\s*$/.exec(line)?.[1];
    if (file !== undefined) return { file, message: (lines[index + 1] ?? "").trim() || line.trim() };
  }
  return null;
}
