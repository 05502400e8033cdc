import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Server } from "../contracts/server.ts";

export interface BatchResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

// Arguments are: count, argv of the first, count, argv of the second ... Each result is one base64 line of its output
// with its exit code as the last line. dash has no arrays: the words of one command are rotated to the end and back.
const SCRIPT = `
while [ $# -gt 0 ]; do
  n=$1; shift; total=$#; i=0
  set -- "$@"
  { i=0; run "$n" "$@"; } | base64 -w0; echo
  while [ $i -lt $n ]; do shift; i=$((i+1)); done
done
`;

const RUN = `
run() {
  count=$1; shift
  total=$#; i=0
  while [ $i -lt $total ]; do
    word=$1; shift
    if [ $i -lt $count ]; then set -- "$@" "$word"; fi
    i=$((i+1))
  done
  "$@" 2>&1 </dev/null
  printf '\\n%s' "$?"
}
`;

/** Runs many commands in one round trip; each result has both output streams as they came. */
export async function runBatch(
  server: Server,
  commands: readonly (readonly string[])[],
  signal?: AbortSignal,
): Promise<readonly BatchResult[]> {
  if (commands.length === 0) return [];
  const result = await server.script({
    script: `${RUN}${SCRIPT}`,
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
    const text = Buffer.from(lines[index] ?? "", "base64").toString("utf8");
    const cut = text.lastIndexOf("\n");
    return { exitCode: Number(text.slice(cut + 1)), stdout: text.slice(0, cut), stderr: "" };
  });
}
