export interface Blame {
  readonly file: string;
  readonly message: string;
}

/** The file, if any, that nginx names as the reason: `nginx: [emerg] unknown directive "x" in /etc/nginx/a.conf:3`. */
export function blame(output: string): Blame | null {
  for (const line of output.split("\n")) {
    const message = /\[(?:emerg|alert|crit)\] (?:\d+#\d+: )?(.*)$/.exec(line)?.[1];
    const file = message === undefined ? undefined : / in (\/.+):\d+$/.exec(message)?.[1];
    if (message !== undefined && file !== undefined) return { file, message };
  }
  return null;
}
