import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Server } from "../contracts/server.ts";

export interface BatchResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

// Arguments are: count, argv of the first, count, argv of the second ... Each result is a line of two base64 words: the
// output with its exit code as last line, and stderr. dash has no arrays: the words of one command are rotated to the end.
const SCRIPT = `
exec 3>&1
run() {
  count=$1; shift
  total=$#; i=0
  while [ $i -lt $total ]; do
    word=$1; shift
    if [ $i -lt $count ]; then set -- "$@" "$word"; fi
    i=$((i+1))
  done
  err=$( { { "$@" </dev/null 3>&-; printf '\\n%s' "$?"; } | base64 -w0 >&3; } 2>&1 | base64 -w0 )
  printf ' %s\\n' "$err"
}
while [ $# -gt 0 ]; do
  n=$1; shift
  (run "$n" "$@")
  shift "$n"
done
`;

/** Runs many commands in one round trip; a failure of one is its result, not an error. */
export async function runBatch(
  server: Server,
  commands: readonly (readonly string[])[],
  signal?: AbortSignal,
): Promise<readonly BatchResult[]> {
  if (commands.length === 0) return [];
  const result = await server.script({
    script: SCRIPT,
    args: commands.flatMap((argv) => [String(argv.length), ...argv]),
    ...(signal === undefined ? {} : { signal }),
  });
  const lines = result.stdout.toString("utf8").split("\n");
  if (result.exitCode !== 0 || lines.length < commands.length) {
    throw new HostwrightError("HW_COMMAND_FAILED", `Facts of ${server.name} could not be read. Nothing was changed.`, {
      server: server.name,
      output: result.stderr.slice(0, 2000),
    });
  }
  return commands.map((_argv, index) => {
    const [out = "", err = ""] = (lines[index] ?? "").split(" ").map((word) => Buffer.from(word, "base64").toString("utf8"));
    const cut = out.lastIndexOf("\n");
    return { exitCode: Number(out.slice(cut + 1)), stdout: out.slice(0, cut), stderr: err };
  });
}
