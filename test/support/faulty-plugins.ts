import {
  CONTRACT,
  defineHttpService,
  definePlatform,
  type HttpRole,
  type PlatformRole,
  type ServicePlugin,
} from "@hostwright/core/plugin";
import { wordpress } from "@hostwright/platform-wordpress";
import { nginx } from "@hostwright/service-nginx";
import { serviceOf } from "@hostwright/testing";
import * as z from "zod";

const service = serviceOf(nginx, "http");
const application = wordpress.platforms?.[0];
const program = application?.role.application;
if (application === undefined || program === undefined) throw new Error("a plugin lacks what is wrapped here");
const { role: http } = service;
const { role: platform } = application;

export const BROKEN = "broken.example.com";

const role: HttpRole = {
  ...http,
  site: (view, server) => {
    const entries = http.site(view, server);
    return view.domain === BROKEN
      ? entries.map((entry) => ({ ...entry, content: `${entry.content}no_such_directive on;\n` }))
      : entries;
  },
};

/** nginx, but for one site it renders what nginx refuses. */
export const brokenNginx: ServicePlugin<Parameters<typeof nginx.service>[0]> = defineHttpService({
  name: "test-http-broken",
  contract: CONTRACT,
  type: service.type,
  options: service.options,
  packages: (options) => service.packages(options),
  facts: (options) => service.facts(options),
  problems: (view) => service.problems(view),
  role,
});

/** Every fault is asked for by the first label of the domain. */
const DRIVER = String.raw`<?php
$input = json_decode( stream_get_contents( STDIN ), true );
$content = $input['docroot'] . '/wp-content';
function children() {
	for ( $i = 0; $i < 3; $i++ ) {
		if ( 0 === pcntl_fork() ) {
			pcntl_signal( SIGTERM, SIG_IGN );
			posix_setsid();
			cli_set_process_title( 'hostwright-test-child' );
			for ( ; ; ) { sleep( 1 ); }
		}
	}
}
switch ( $input['command'] ) {
	case 'fails':
		file_put_contents( "$content/half-made", str_repeat( 'x', 100000 ) );
		echo json_encode( $input ), "\n", file_get_contents( dirname( $input['conf'] ) . '/conf/settings.php' ), "\n";
		fwrite( STDERR, 'password ' . $input['adminPassword'] . "\n" );
		echo json_encode( array( 'error' => 'no theme for ' . $input['adminPassword'] . ' was found' ) ), "\n";
		exit( 1 );
	case 'dies':
		echo "about to die\n";
		posix_kill( posix_getpid(), SIGKILL );
	case 'babbles':
		echo "all is well\nreally\n";
		exit( 0 );
	case 'hangs':
		echo "waiting for a licence key\n";
		children();
		for ( ; ; ) { sleep( 1 ); }
	case 'fills':
		for ( $i = 0; false !== @file_put_contents( "$content/big-$i", str_repeat( 'x', 1 << 20 ) ); $i++ );
		echo json_encode( array( 'error' => 'cannot write: ' . error_get_last()['message'] ) ), "\n";
		exit( 1 );
	case 'lies':
		echo json_encode( array( 'installed' => true ) ), "\n";
		exit( 0 );
}
`;

const faultyRole: PlatformRole = {
  ...platform,
  application: {
    ...program,
    driver: { name: "faulty.php", source: DRIVER },
    seed: () => null,
    install: (view) => ({
      command: view.domain.split(".")[0] ?? "",
      input: {
        docroot: view.platform.docroot,
        conf: view.paths.conf,
        adminPassword: view.secret("admin-password", "administrator's password"),
      },
      timeoutMs: view.domain.startsWith("hangs.") ? 3_000 : 120_000,
    }),
  },
};

/** WordPress's code with an installer that goes wrong in every way. */
export const faulty = definePlatform({
  name: "test-platform-faulty",
  contract: CONTRACT,
  type: "faulty",
  options: { version: 1, schema: z.strictObject({}) },
  siteOptions: application.siteOptions,
  role: faultyRole,
});
