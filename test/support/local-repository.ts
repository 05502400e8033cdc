import type { TestHost } from "../hosts/hosts.ts";

// Arguments: package. Puts an installed package together again as a .deb, with its own maintainer scripts, and removes it:
// hosts have no way out, so what they are to install comes from themselves.
const REPACK = `
set -eu
cd /root; rm -rf "repo/$1"; mkdir -p "repo/$1/DEBIAN"
dpkg-query -s "$1" | grep -v '^\\(Status\\|Conffiles\\):' | sed '/^ .*[0-9a-f]\\{32\\}$/d' > "repo/$1/DEBIAN/control"
for script in preinst postinst prerm postrm triggers conffiles; do
  [ ! -e "/var/lib/dpkg/info/$1.$script" ] || cp "/var/lib/dpkg/info/$1.$script" "repo/$1/DEBIAN/"
done
dpkg -L "$1" | while read -r path; do
  if [ -d "$path" ] && [ ! -L "$path" ]; then mkdir -p "repo/$1$path"; elif [ -e "$path" ]; then cp -a "$path" "repo/$1$path"; fi
done
dpkg-deb --root-owner-group -b "repo/$1" "repo/$1.deb" >/dev/null
rm -rf "repo/$1"
dpkg --remove --force-depends "$1" >/dev/null 2>&1
`;

const INDEX = `
set -eu
cd /root/repo
for deb in *.deb; do
  dpkg-deb -f "$deb"
  printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
done > Packages
rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/root/repo ./' > /etc/apt/sources.list
`;

/** Takes installed packages off a host and leaves them to be installed again, by apt, from a repository on it. */
export async function offerPackages(host: TestHost, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const result = await host.exec(["sh", "-c", REPACK, "sh", name]);
    if (result.code !== 0) throw new Error(`${name} could not be repacked: ${result.stderr}`);
  }
  await host.sh(INDEX);
}
