import { HostwrightError, RANK, type Change, type Declared, type ResourceType, type Target } from "@hostwright/core";
import * as z from "zod";

/** The file that says who may log in from where; the server reads it again whenever it changes, and keeps its sessions. */
export interface Access {
  readonly path: string;
  readonly unit: string;
  readonly content: string;
}

// Arguments: path, unit. Input: the content before and after, a NUL behind each. Gives 3 when it is not as it was.
const WRITE = `
set -eu
path=$1; unit=$2; folder=$(mktemp -d); trap 'rm -rf -- "$folder"' EXIT
perl -e 'local $/; my ($before, $after) = split /\\0/, <STDIN>, -1; for (["b", $before], ["a", $after]) { open my $f, ">", "$ARGV[0]/$_->[0]" or exit 1; print $f $_->[1]; close $f or exit 1 }' "$folder"
if [ -e "$path" ]; then cmp -s "$path" "$folder/b" || exit 3; else [ ! -s "$folder/b" ] || exit 3; fi
if [ -s "$folder/a" ]; then
  install -o root -g postgres -m 640 "$folder/a" "$path.new"; sync "$path.new"; mv -f "$path.new" "$path"
  ! systemctl -q is-active "$unit" || systemctl reload "$unit"
else rm -f -- "$path"
fi
`;

async function read({ server }: Target, keys: readonly string[]): Promise<Map<string, Access>> {
  const contents = await Promise.all(
    keys.map(async (path) => {
      const { exitCode, stdout } = await server.run({ argv: ["cat", "--", path] });
      return exitCode === 0 ? ([[path, { path, unit: "", content: stdout.toString() }]] as const) : [];
    }),
  );
  return new Map(contents.flat());
}

async function write(target: Target, { key, before, after }: Change<Access>): Promise<void> {
  const { name } = target.server;
  const unit = after?.unit === "" ? (before?.unit ?? "") : (after?.unit ?? before?.unit ?? "");
  const stdin = `${before?.content ?? ""}\0${after?.content ?? ""}\0`;
  const { exitCode, stderr } = await target.mutate({ script: WRITE, args: [key, unit], stdin });
  if (exitCode === 0) return;
  if (exitCode === 3) {
    const message = `${key} on ${name} is not as it was read. It was left as it is.`;
    throw new HostwrightError("HW_RESOURCE_CHANGED", message, { server: name, data: { key } });
  }
  throw new HostwrightError("HW_COMMAND_FAILED", `${key} on ${name} could not be put in force.`, {
    server: name,
    output: stderr.slice(0, 2000),
  });
}

export const accessType: ResourceType<Access, Access> = {
  name: "postgres-access",
  schema: z.strictObject({
    path: z.string().startsWith("/etc/hostwright/"),
    unit: z.string(),
    content: z.string().min(1),
  }),
  rank: RANK.file,
  removal: "delete",
  key: (spec) => spec.path,
  desired: (spec) => spec,
  read,
  identity: ({ content }) => content,
  async apply(target, changes) {
    for (const change of changes) await write(target, change);
  },
  showSpec: ({ content }) => content,
  showState: ({ content }) => content,
};

export function postgresAccess(spec: Access): Declared {
  return { type: accessType.name, spec };
}
