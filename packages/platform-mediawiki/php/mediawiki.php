<?php
/**
 * Part of Hostwright: works on one MediaWiki site from outside. Reads one JSON object from stdin, and prints one JSON
 * object as its last line: the result, or {"error"} with exit code 1. Runs as the site's user in the site's sandbox.
 */

error_reporting( E_ERROR );
ini_set( 'display_errors', '0' );
ob_start();
register_shutdown_function( 'hostwright_ended_early' );

try {
	$hostwright_input = json_decode( stream_get_contents( STDIN ), true, 8, JSON_THROW_ON_ERROR );
	switch ( $hostwright_input['command'] ) {
		case 'seed':
			hostwright_finish( hostwright_seed( $hostwright_input['private'] ), 0 );
		case 'install':
			hostwright_finish( hostwright_install( $hostwright_input ), 0 );
		case 'login-link':
		case 'status':
			break;
		default:
			throw new Exception( 'unknown command' );
	}
	// Here and not in a function: MediaWiki's files expect the global scope.
	$_SERVER['argv'] = $argv = [ 'hostwright' ];
	require_once $hostwright_input['docroot'] . '/maintenance/Maintenance.php';

	class HostwrightSite extends Maintenance {
		public function execute() {
			$input = $GLOBALS['hostwright_input'];
			hostwright_finish( $input['command'] === 'status' ? $this->siteStatus() : $this->loginLink( $input ), 0 );
		}

		private function siteStatus() {
			$tables = $this->getReplicaDB()->tableExists( 'site_stats', __METHOD__ );
			return [ 'installed' => $tables, 'version' => MW_VERSION ];
		}

		/** Its row is found by the token's first half; of the second half the hash alone is kept. */
		private function loginLink( array $input ) {
			$user = User::newFromName( $input['adminUser'] );
			if ( !$user || !$user->getId() ) {
				throw new Exception( "there is no user {$input['adminUser']}" );
			}
			$id = bin2hex( random_bytes( 8 ) );
			$secret = bin2hex( random_bytes( 32 ) );
			$expires = time() + $input['validSeconds'];
			$link = [ 'hash' => hash( 'sha256', $secret ), 'expires' => $expires, 'user' => $user->getId() ];
			$this->getPrimaryDB()->newInsertQueryBuilder()->insertInto( 'updatelog' )
				->row( [ 'ul_key' => "hostwright-login-$id", 'ul_value' => json_encode( $link ) ] )
				->caller( __METHOD__ )->execute();
			return [ 'loginLink' => "http://{$input['domain']}/index.php?hostwright-login=$id$secret" ];
		}
	}

	$maintClass = HostwrightSite::class;
	require_once RUN_MAINTENANCE_IF_MAIN;
} catch ( Throwable $error ) {
	hostwright_finish( [ 'error' => $error->getMessage() ], 1 );
}

function hostwright_finish( array $result, $code ) {
	$GLOBALS['hostwright_finished'] = true;
	while ( ob_get_level() > 0 ) {
		ob_end_clean();
	}
	echo "\n", json_encode( $result, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE ), "\n";
	exit( $code );
}

/** After a fatal error, or an exit() somewhere in the application. */
function hostwright_ended_early() {
	if ( isset( $GLOBALS['hostwright_finished'] ) ) {
		return;
	}
	$last = error_get_last();
	$fatal = $last !== null && ( $last['type'] & ( E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_RECOVERABLE_ERROR ) );
	$said = $fatal ? $last['message'] : trim( strip_tags( (string)ob_get_contents() ) );
	hostwright_finish( [ 'error' => 'MediaWiki ended early: ' . substr( $said, 0, 2000 ) ], 1 );
}

function hostwright_seed( $private ) {
	if ( !is_dir( "$private/cache" ) && !mkdir( "$private/cache", 0700 ) ) {
		throw new Exception( "cannot make the folder $private/cache: " . ( error_get_last()['message'] ?? '' ) );
	}
	return [ 'ready' => true ];
}

/** MediaWiki's own installer. Passwords go by files of the site's own; the settings that it writes are not kept. */
function hostwright_install( array $input ) {
	// It would pass over what is there, and leave the administrator with his old password.
	if ( hostwright_ask_apart( [ 'command' => 'status' ] + $input )['installed'] ) {
		throw new Exception( 'the wiki is installed already' );
	}
	$folder = "{$input['tmp']}/hostwright-" . bin2hex( random_bytes( 6 ) );
	mkdir( $folder, 0700 );
	try {
		file_put_contents( "$folder/db", $input['dbPassword'] );
		file_put_contents( "$folder/admin", $input['adminPassword'] );
		$options = [
			'dbtype' => $input['dbType'], 'dbserver' => $input['dbServer'], 'dbname' => $input['dbName'],
			'dbuser' => $input['dbUser'], 'dbpassfile' => "$folder/db",
			'passfile' => "$folder/admin", 'confpath' => $folder, 'server' => "http://{$input['domain']}",
			'scriptpath' => '', 'lang' => $input['language'], 'skins' => $input['skins'],
		];
		if ( $input['dbType'] === 'postgres' ) {
			$options['dbport'] = (string)( $input['dbPort'] ?: 5432 );
			$options['dbschema'] = 'mediawiki';
		}
		if ( $input['extensions'] !== '' ) {
			$options['extensions'] = $input['extensions'];
		}
		// Where no settings are yet: those of the site would look like an installation.
		hostwright_run( $input, "$folder/none.php", 'install', $options, [ $input['title'], $input['adminUser'] ] );
		hostwright_run(
			$input, null, 'resetUserEmail', [ 'no-reset-password' => null ], [ $input['adminUser'], $input['adminEmail'] ]
		);
	} finally {
		foreach ( glob( "$folder/*" ) as $file ) {
			unlink( $file );
		}
		rmdir( $folder );
	}
	return [ 'installed' => true ];
}

/** A call of this program in a process of its own: MediaWiki takes part in one only. */
function hostwright_ask_apart( array $input ) {
	$asked = array_intersect_key( $input, [ 'command' => 1, 'docroot' => 1, 'domain' => 1 ] );
	$pipes = [];
	$process = proc_open(
		[ PHP_BINARY, '-d', 'memory_limit=-1', __FILE__ ],
		[ [ 'pipe', 'r' ], [ 'pipe', 'w' ], [ 'file', '/dev/null', 'w' ] ], $pipes
	);
	fwrite( $pipes[0], json_encode( $asked ) );
	fclose( $pipes[0] );
	$lines = explode( "\n", trim( stream_get_contents( $pipes[1] ) ) );
	proc_close( $process );
	$answer = json_decode( end( $lines ), true ) ?? [ 'error' => "no answer to {$input['command']}" ];
	if ( isset( $answer['error'] ) ) {
		throw new Exception( $answer['error'] );
	}
	return $answer;
}

function hostwright_run( array $input, $settings, $script, array $options, array $arguments ) {
	$argv = [ PHP_BINARY, '-d', 'memory_limit=-1', "{$input['docroot']}/maintenance/run.php", $script ];
	foreach ( $options as $name => $value ) {
		$argv[] = $value === null ? "--$name" : "--$name=$value";
	}
	$environment = getenv() + ( $settings === null ? [] : [ 'MW_CONFIG_FILE' => $settings ] );
	$pipes = [];
	$process = proc_open(
		array_merge( $argv, $arguments ), [ [ 'file', '/dev/null', 'r' ], [ 'pipe', 'w' ], [ 'redirect', 1 ] ], $pipes,
		$input['docroot'], $environment
	);
	$said = stream_get_contents( $pipes[1] );
	if ( proc_close( $process ) !== 0 ) {
		throw new Exception( "$script failed: " . substr( trim( $said ), -2000 ) );
	}
}
