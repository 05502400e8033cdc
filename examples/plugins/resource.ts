import { HostwrightError, RANK, runChecked } from "@hostwright/core/plugin";
import type { Change, Declared, ResourceType } from "@hostwright/core/plugin";
import * as z from "zod";

const Spec = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/, "a host name in lower case"),
  address: z.union([z.ipv4(), z.ipv6()]),
});
type HostName = z.output<typeof Spec>;
interface State {
  readonly address: string;
}

// Fixed programs: data goes by arguments.
const FIND = `find_in() { awk -v name="$2" '$1 !~ /^#/ && $2 == name { print $1; exit }' "$1"; }\n`;
const READ = `${FIND}for name in "$@"; do address=$(find_in /etc/hosts "$name"); [ -z "$address" ] || echo "$name $address"; done`;
const APPLY = `${FIND}set -eu
new=/etc/hosts.example
trap 'rm -f "$new"' EXIT
cp /etc/hosts "$new"
while [ $# -gt 0 ]; do
  [ "$(find_in "$new" "$1")" = "$2" ] || { echo "$1"; exit 9; }
  awk -v name="$1" '$1 ~ /^#/ || $2 != name' "$new" > "$new.next"
  [ -z "$3" ] || echo "$3 $1" >> "$new.next"
  mv "$new.next" "$new"
  shift 3
done
chmod 644 "$new"
sync "$new"
mv "$new" /etc/hosts
`;

/** Names in a server's `/etc/hosts`: a type of a plugin's own, which passes the suite of resource types. */
export const hostNames: ResourceType<HostName, State> = {
  name: "example-host-name",
  schema: Spec,
  rank: RANK.file,
  removal: "delete",
  key: ({ name }) => name,
  desired: ({ address }) => ({ address }),
  async read({ server, signal }, keys) {
    if (keys.length === 0) return new Map();
    const { stdout } = await runChecked(server, { script: READ, args: keys, signal });
    const rows = stdout
      .toString("utf8")
      .split("\n")
      .filter((line) => line !== "");
    return new Map(rows.map((row) => row.split(" ")).map(([name = "", address = ""]) => [name, { address }]));
  },
  identity: (state) => state,
  /** All of them by one rename: whatever is not as it was read leaves the file as it is. */
  async apply(target, changes: readonly Change<State>[]) {
    const args = changes.flatMap(({ key, before, after }) => [key, before?.address ?? "", after?.address ?? ""]);
    const { exitCode, stdout, stderr } = await target.mutate({ script: APPLY, args });
    if (exitCode === 0) return;
    const server = target.server.name;
    const key = stdout.toString("utf8").trim();
    if (exitCode !== 9)
      throw new HostwrightError("HW_COMMAND_FAILED", `/etc/hosts on ${server} could not be written. It is as it was.`, {
        server,
        output: stderr,
      });
    throw new HostwrightError(
      "HW_RESOURCE_CHANGED",
      `The name ${key} in /etc/hosts on ${server} is no longer as it was read. Nothing was changed.`,
      { server, data: { key } },
    );
  },
  async clear(target) {
    await target.mutate({ script: "rm -f /etc/hosts.example /etc/hosts.example.next" });
  },
  showSpec: ({ address }) => address,
  showState: ({ address }) => address,
};

export const hostName = (spec: HostName): Declared => ({ type: hostNames.name, spec: Spec.parse(spec) });
