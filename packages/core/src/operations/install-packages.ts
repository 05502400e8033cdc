import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Operation } from "../contracts/operation.ts";
import { bounded, runRemoteUnit, stopRemoteUnit } from "./remote-unit.ts";

export interface InstallPackagesInput {
  /** Debian package names that are missing. */
  readonly packages: readonly string[];
  /** Units that come with them and are not wanted. */
  readonly unwanted: readonly string[];
}

// Arguments: packages, `--`, unwanted units. They are stopped as soon as their package has started them. Where somebody was
// stopped in the middle of a package apt does nothing, until dpkg has come to its end.
const INSTALL = `
set -e
dpkg --configure -a
apt-get -q update
packages=; while [ "$1" != -- ]; do packages="$packages $1"; shift; done; shift
apt-get -q -y --no-install-recommends install -- $packages
[ $# -eq 0 ] || SYSTEMCTL_SKIP_SYSV=1 systemctl -q disable --now -- "$@"
`;

/** The task `prepare`: installs what the services of a server need. Packages stay when the task is undone. */
export const installPackages: Operation<InstallPackagesInput> = {
  name: "install-packages",
  version: 1,
  async run(context, input) {
    const { target } = context;
    const result = await runRemoteUnit(target, {
      attempt: context.attempt,
      argv: ["/bin/sh", "-c", INSTALL, "sh", ...input.packages, "--", ...input.unwanted],
      properties: [["Environment", "DEBIAN_FRONTEND=noninteractive"]],
      stdin: "",
      timeoutMs: 1_800_000,
      // dpkg syncs what it unpacks.
      writes: [],
    });
    if (result.result === "success") return { packages: input.packages };
    throw new HostwrightError(
      "HW_PREREQUISITE_MISSING",
      `${target.server.name} could not install ${input.packages.join(", ")}.`,
      {
        server: target.server.name,
        output: bounded(`${result.stdout}\n${result.stderr}`),
      },
    );
  },
  async probe(context) {
    await stopRemoteUnit(context.target, context.attempt);
    // apt goes on where it was stopped.
    return "absent";
  },
  async undo() {
    // Packages harm nobody and other services may use them by now.
  },
};
