import { HostwrightError, RANK, type Change, type Declared, type ResourceType, type Target } from "@hostwright/core";
import * as z from "zod";
import { placesOf, PostgresOptions } from "./options.ts";

/** A file of rules that say who may log in from where: read again by the server, which keeps its sessions meanwhile. */
export interface Access {
  /** Below `/etc/hostwright/postgres/`. */
  readonly path: string;
  readonly content: string;
}

export const ACCESS_FOLDER = "/etc/hostwright/postgres";

// Input: paths, a NUL behind each. Output: `+` and the content, or `-`, a NUL behind each.
const READ = String.raw`
$/ = "\0";
while (<STDIN>) {
  chomp;
  if (open my $file, "<", $_) { local $/; print "+", <$file> // "", "\0" } else { print "-\0" }
}
`;

// Arguments: unit. Input: path, content before and after, a NUL behind each; empty is absent. Nothing is written when
// one is not as it was: exit code 3 and its path.
const WRITE = String.raw`
use strict; use warnings; use IO::Handle;
$/ = "\0"; my @fields = <STDIN>; chomp @fields; local $/;
my $group = getgrnam "postgres"; my @todo;
while (my ($path, $before, $after) = splice @fields, 0, 3) {
  my $now = ""; if (open my $file, "<", $path) { $now = <$file> // "" }
  if ($now ne $before) { print $path; exit 3 }
  push @todo, [$path, $after];
}
umask 0027;
for (@todo) {
  my ($path, $text) = @$_;
  if ($text eq "") { unlink $path or die "$path: $!\n"; next }
  open my $file, ">", "$path.new" or die "$path: $!\n";
  print $file $text; $file->flush; $file->sync; chown 0, $group, "$path.new"; close $file or die "$path: $!\n";
  rename "$path.new", $path or die "$path: $!\n";
}
system "systemctl", "-q", "is-active", $ARGV[0]; exit 0 if $?;
system "systemctl", "reload", $ARGV[0]; exit($? ? 1 : 0);
`;

async function read({ server }: Target, keys: readonly string[]): Promise<Map<string, Access>> {
  if (keys.length === 0) return new Map();
  const { stdout } = await server.run({ argv: ["perl", "-e", READ], stdin: keys.map((key) => `${key}\0`).join("") });
  const answers = stdout.toString().split("\0");
  return new Map(
    keys.flatMap((path, index) => {
      const answer = answers[index] ?? "";
      return answer.startsWith("+") ? [[path, { path, content: answer.slice(1) }] as const] : [];
    }),
  );
}

async function apply(target: Target, changes: readonly Change<Access>[]): Promise<void> {
  if (changes.length === 0) return;
  const { name } = target.server;
  const { unit } = placesOf(PostgresOptions.parse(target.serviceOptions("postgres") ?? {}));
  const fields = changes.flatMap(({ key, before, after }) => [key, before?.content ?? "", after?.content ?? ""]);
  const { exitCode, stdout, stderr } = await target.mutate({
    script: `perl -e "$1" "$2"`,
    args: [WRITE, unit],
    stdin: fields.map((field) => `${field}\0`).join(""),
  });
  if (exitCode === 0) return;
  if (exitCode === 3) {
    const key = stdout.toString();
    const message = `${key} on ${name} is not as it was read. Nothing was changed.`;
    throw new HostwrightError("HW_RESOURCE_CHANGED", message, { server: name, data: { key } });
  }
  const message = `The rules of PostgreSQL on ${name} could not be put in force.`;
  throw new HostwrightError("HW_COMMAND_FAILED", message, { server: name, output: stderr.slice(0, 2000) });
}

async function clear(target: Target, paths: readonly string[]): Promise<void> {
  const { name } = target.server;
  const args = paths.map((path) => `${path}.new`);
  const { exitCode, stderr } = await target.mutate({ script: `rm -f -- "$@"`, args });
  if (exitCode === 0) return;
  const message = `What was begun of the rules of PostgreSQL on ${name} could not be removed.`;
  throw new HostwrightError("HW_COMMAND_FAILED", message, { server: name, output: stderr.slice(0, 2000) });
}

export const accessType: ResourceType<Access, Access> = {
  name: "postgres-access",
  schema: z.strictObject({
    path: z.string().regex(/^\/etc\/hostwright\/postgres\/([a-z0-9]+\/)?[A-Za-z0-9_-]+\.conf$/),
    content: z.string().min(1),
  }),
  rank: RANK.account,
  removal: "clean-up",
  key: (spec) => spec.path,
  desired: (spec) => spec,
  read,
  identity: ({ content }) => content,
  apply,
  clear,
  showSpec: ({ content }) => content,
  showState: ({ content }) => content,
};

export function postgresAccess(path: string, lines: readonly string[]): Declared {
  const content = ["# Managed by Hostwright.", ...lines, ""].join("\n");
  return { type: accessType.name, spec: { path, content } satisfies Access };
}
