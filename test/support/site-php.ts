import type { SiteRecord, SshServer } from "@hostwright/core";
import { askPhp } from "../../packages/testing/src/runtime/fastcgi.ts";
import type { TestHost } from "../hosts/hosts.ts";
import { asSite } from "./as-site.ts";
import { homeOf } from "./fleet.ts";
import { sshTo } from "../../packages/testing/src/containers/ssh-to.ts";

const PROBE = `<?php
// What a hostile owner's code can do: runs whatever it is sent.
error_reporting( 0 );
try {
	$value = eval( 'return ' . file_get_contents( 'php://input' ) . ';' );
} catch ( Throwable $error ) {
	$value = get_class( $error ) . ': ' . $error->getMessage();
}
echo json_encode( array( 'value' => $value ), JSON_PARTIAL_OUTPUT_ON_ERROR );
`;

/**
 * The PHP that answers a site's visitors, made to run anything: whatever the platform, and past its web server, which
 * would not run what lies here.
 */
export class SitePhp implements AsyncDisposable {
  readonly #host: TestHost;
  readonly #server: SshServer;

  constructor(host: TestHost) {
    this.#host = host;
    this.#server = sshTo(host);
  }

  async plant(site: SiteRecord): Promise<void> {
    await asSite(this.#host, site, "cat > private/probe.php", PROBE);
  }

  /** The value of a PHP expression, worked out in a request to the site; what it throws, as text. */
  async value(site: SiteRecord, expression: string): Promise<unknown> {
    const params = {
      REQUEST_METHOD: "POST",
      SCRIPT_FILENAME: `${homeOf(site)}/private/probe.php`,
      SCRIPT_NAME: "/probe.php",
      REQUEST_URI: "/probe.php",
      SERVER_PROTOCOL: "HTTP/1.1",
      HTTP_HOST: site.domain,
      CONTENT_TYPE: "application/x-www-form-urlencoded",
    };
    const { status, body } = await askPhp(this.#server, `/run/hostwright-php/${site.id}.sock`, params, expression);
    if (status !== 200) throw new Error(`the PHP of ${site.domain} answered ${status}: ${body.slice(0, 500)}`);
    return (JSON.parse(body) as { value: unknown }).value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
  }
}
