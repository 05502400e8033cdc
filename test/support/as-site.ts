import type { SiteRecord } from "@hostwright/core";
import type { TestHost } from "../hosts/hosts.ts";
import { homeOf } from "./fleet.ts";
import { page } from "./page.ts";

/** Runs a shell script as the site's unix user, outside of its sandbox, in its folder. */
export async function asSite(host: TestHost, site: SiteRecord, script: string, input?: string): Promise<string> {
  const who = ["setpriv", "--reuid", String(site.uid), "--regid", String(site.uid), "--clear-groups"];
  const argv = [...who, "sh", "-c", `umask 027; cd "$1" || exit 1; ${script}`, "sh", homeOf(site)];
  const { code, stdout, stderr } = await host.exec(argv, input === undefined ? {} : { input });
  if (code !== 0)
    throw new Error(`as ${site.domain} on ${host.name}, exit code ${code}: ${script}\n${stdout}${stderr}`);
  return stdout;
}

/** Puts a file into the site's public folder, as an upload does. */
export async function upload(host: TestHost, site: SiteRecord, path: string, content: string): Promise<void> {
  await asSite(host, site, `mkdir -p "$(dirname "public${path}")" && cat > "public${path}"`, content);
}

const PLUGIN = `<?php
// What a hostile plugin can do: runs whatever it is sent.
if ( isset( $_GET['probe'] ) ) {
	error_reporting( 0 );
	try {
		$value = eval( 'return ' . file_get_contents( 'php://input' ) . ';' );
	} catch ( Throwable $error ) {
		$value = get_class( $error ) . ': ' . $error->getMessage();
	}
	echo json_encode( array( 'value' => $value ), JSON_PARTIAL_OUTPUT_ON_ERROR );
	exit;
}
`;

/** Makes a WordPress site answer `inside`. */
export async function plantProbe(host: TestHost, site: SiteRecord): Promise<void> {
  await upload(host, site, "/wp-content/mu-plugins/probe.php", PLUGIN);
}

/** The value of a PHP expression, worked out by the site's own PHP in a request; what it throws, as text. */
export async function inside(host: TestHost, site: SiteRecord, expression: string): Promise<unknown> {
  const { status, body } = await page(host, site.domain, "/?probe=1", { method: "POST", body: expression });
  if (status !== 200) throw new Error(`the probe of ${site.domain} answered ${status}: ${body.slice(0, 500)}`);
  return (JSON.parse(body) as { value: unknown }).value;
}
