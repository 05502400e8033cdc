import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type BaseName, type BaseRecipe, baseRecipes } from "./base-recipe.ts";
import { cached } from "./cache.ts";
import { machineAptSettings, machineMirror, proxyEnvironment } from "./mirror.ts";
import { progress, run } from "./run.ts";

async function writeFiles(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

const CERTIFICATES = "etc/ssl/certs/ca-certificates.crt";

/** A container for one command: whatever a package's script starts ends with it. It uses the machine's network. */
export async function inside(root: string, script: string): Promise<void> {
  const flags = [
    "--quiet",
    "--register=no",
    "--keep-unit",
    "--settings=no",
    "--as-pid2",
    "--pipe",
    "--resolv-conf=replace-host",
    "--timezone=off",
  ];
  const env = [
    "DEBIAN_FRONTEND=noninteractive",
    "LC_ALL=C.UTF-8",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  ];
  await run("systemd-nspawn", [...flags, `--directory=${root}`, "/usr/bin/env", ...env, "sh", "-c", script]);
}

/** Debian's minimal system in a folder, from the mirror that this machine uses. */
export async function bootstrap(root: string, suite: string, packages: readonly string[]): Promise<void> {
  const mirror = await machineMirror();
  const flags = [
    "--variant=minbase",
    "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg",
    ...(packages.length === 0 ? [] : [`--include=${packages.join(",")}`]),
  ];
  const from = mirror === undefined ? [] : [mirror];
  await run("debootstrap", [...flags, suite, root, ...from], { env: await proxyEnvironment() });
}

async function build(root: string, recipe: BaseRecipe): Promise<void> {
  const { suite, bootstrapPackages, packages, filesBefore, filesAfter, setup } = recipe;
  progress(`building the base of the test hosts, once: Debian ${suite}, about two minutes`);
  await bootstrap(root, suite, bootstrapPackages);
  progress(`installing ${packages.length} packages in it`);
  await writeFiles(root, filesBefore);
  await installIn(root, packages, async () => {
    await writeFiles(root, filesAfter);
    await inside(root, setup);
  });
}

/** Installs packages by this machine's way to its mirror, then finishes; nothing of the way stays. */
export async function installIn(root: string, packages: readonly string[], finish: () => Promise<void>): Promise<void> {
  const aptSettings = join(root, "etc/apt/apt.conf.d/90machine");
  await writeFile(aptSettings, await machineAptSettings());
  await copyFile(join("/", CERTIFICATES), join(root, CERTIFICATES));
  await inside(root, `set -e; apt-get -q update; apt-get -q install -y --no-install-recommends ${packages.join(" ")}`);
  await finish();
  await inside(root, "update-ca-certificates --fresh >/dev/null");
  await rm(aptSettings);
  // A host has no way out: looking up a name must fail at once, not after a timeout.
  await rm(join(root, "etc/resolv.conf"), { force: true });
  await writeFile(join(root, "etc/resolv.conf"), "");
}

/** The folder that test hosts are laid over; built by the first one who needs it. */
export async function ensureBase(name: BaseName = "debian"): Promise<string> {
  const recipe = baseRecipes[name];
  return cached(name === "debian" ? "base" : `${name}-base`, recipe, async (root) => build(root, recipe));
}
