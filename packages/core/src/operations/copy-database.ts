import { HostwrightError } from "../errors/hostwright-error.ts";
import type { DatabaseCopy } from "../contracts/roles/database.ts";
import type { Operation } from "../contracts/operation.ts";
import type { UnitProperty } from "../contracts/roles/runtime.ts";
import { resolveText } from "../model/text.ts";
import { DISK_FULL } from "../servers/checked.ts";
import { bounded, runRemoteUnit, stopRemoteUnit } from "./remote-unit.ts";

export interface CopyDatabaseInput {
  /** For messages: `the database of example.com`. */
  readonly what: string;
  /** Of the site's own sandbox. */
  readonly properties: readonly UnitProperty[];
  readonly from: Pick<DatabaseCopy, "dump" | "login" | "trailer">;
  readonly to: Pick<DatabaseCopy, "load" | "login">;
  readonly timeoutMs: number;
}

/** Passes its input on, and tells whether its last line begins as that of a whole dump does, and how many bytes it had. */
export const PASS: string = String.raw`my ($bytes, $last) = (0, "");
while (defined(my $line = <STDIN>)) { $bytes += length $line; $last = $line if $line =~ /\S/; print $line or exit 2 }
close STDOUT or exit 2;
open(my $told, ">&=", 4) or exit 2; print $told "bytes $bytes\n";
exit(index($last, $ARGV[0]) == 0 ? 0 : 1);`;

// Arguments: the program that passes, the trailer, how many words the dump has, its words, those of the load. Input: both
// logins, a line `--` between them. Prints the exit code of each part, and the bytes.
export const COPY: string = String.raw`
set -f
pass=$1 trailer=$2 words=$3; shift 3
from= to=
while IFS= read -r line && [ "$line" != -- ]; do from="$from$line
"; done
to=$(cat)
dump() {
  count=0
  for word do
    [ "$count" -gt 0 ] || set --
    count=$((count + 1)); [ "$count" -gt "$words" ] || set -- "$@" "$word"
  done
  "$@" 3<<END </dev/null
$from
END
}
load() {
  shift "$words"
  "$@" 3<<END
$to
END
}
told=$({ { { dump "$@"; echo "dump $?" >&4; } | { perl -e "$pass" -- "$trailer"; echo "trailer $?" >&4; } | { load "$@"; echo "load $?" >&4; } ; } 4>&1 1>&2; })
printf '%s\n' "$told"
`;

/**
 * Streams the contents of one database into another, from program to program. Only a whole stream counts: both ended well
 * and the dump's last line was seen (decisions.md D7).
 */
export const copyDatabase: Operation<CopyDatabaseInput> = {
  name: "copy-database",
  version: 1,
  async run(context, { what, properties, from, to, timeoutMs }) {
    const { target } = context;
    const { name } = target.server;
    const login = (text: DatabaseCopy["login"]): string => resolveText(text, target.resolve);
    const result = await runRemoteUnit(target, {
      attempt: context.attempt,
      argv: ["/bin/sh", "-c", COPY, "sh", PASS, from.trailer, String(from.dump.length), ...from.dump, ...to.load],
      properties,
      stdin: `${login(from.login)}--\n${login(to.login)}`,
      timeoutMs,
      writes: [],
    });
    const told = new Map(result.stdout.split("\n").map((line) => line.split(" ") as [string, string | undefined]));
    const failed = ["load", "dump", "trailer"].filter((part) => told.get(part) !== "0");
    if (result.result === "success" && failed.length === 0) return { bytes: Number(told.get("bytes")) };
    const output = bounded(context.redact(result.stderr).trim());
    const why = result.result === "success" ? WHY[failed[0] ?? ""] : `it ended by ${result.result}`;
    throw new HostwrightError(
      DISK_FULL.test(output) ? "HW_DISK_FULL" : "HW_DATABASE_FAILED",
      `${what} could not be copied on ${name}: ${why}. The copy is dropped.`,
      { server: name, output, remedy: "Remedy what its output names, then move the database again." },
    );
  },
  async probe(context) {
    await stopRemoteUnit(context.target, context.attempt);
    return "partial";
  },
  async undo() {
    // What was copied goes with the database that was made for it.
  },
};

const WHY: Readonly<Record<string, string>> = {
  dump: "reading the old database failed",
  load: "writing the new database failed",
  trailer: "the stream from the old database broke off",
};
