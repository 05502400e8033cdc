<?php
/**
 * Part of Hostwright: works on one WordPress site from outside. Reads one JSON object from stdin, and prints one JSON
 * object as its last line: the result, or {"error"} with exit code 1. Runs as the site's user in the site's sandbox.
 */

error_reporting( E_ERROR );
ini_set( 'display_errors', '0' );
ob_start();
register_shutdown_function( 'hostwright_ended_early' );

try {
	$hostwright_input = json_decode( stream_get_contents( STDIN ), true, 8, JSON_THROW_ON_ERROR );
	if ( 'seed' === $hostwright_input['command'] ) {
		hostwright_finish( array( 'copied' => hostwright_copy( $hostwright_input['from'], $hostwright_input['to'] ) ), 0 );
	}
	hostwright_prepare( $hostwright_input );
	// Here and not in a function: WordPress's files expect the global scope.
	require $hostwright_input['docroot'] . '/wp-load.php';
	hostwright_finish( hostwright_run( $hostwright_input ), 0 );
} catch ( Throwable $error ) {
	hostwright_finish( array( 'error' => $error->getMessage() ), 1 );
}

function hostwright_run( array $input ) {
	switch ( $input['command'] ) {
		case 'install':
			return hostwright_install( $input );
		case 'login-link':
			return hostwright_login_link( $input );
		case 'status':
			return hostwright_status();
	}
	throw new Exception( 'unknown command' );
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
	$last  = error_get_last();
	$fatal = null !== $last && ( $last['type'] & ( E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_RECOVERABLE_ERROR ) );
	$said  = $fatal ? $last['message'] : hostwright_plain( ob_get_contents() );
	hostwright_finish( array( 'error' => 'WordPress ended early: ' . substr( $said, 0, 2000 ) ), 1 );
}

function hostwright_plain( $html ) {
	return trim( preg_replace( '/\s+/', ' ', html_entity_decode( strip_tags( (string) $html ), ENT_QUOTES ) ) );
}

/**
 * WordPress is loaded as its installer does it: without plugins and themes, which may be broken or hostile, and without
 * a redirect to the installer where there is nothing yet.
 */
function hostwright_prepare( array $input ) {
	define( 'WP_INSTALLING', true );
	$_SERVER['HTTP_HOST']       = $input['domain'];
	$_SERVER['SERVER_NAME']     = $input['domain'];
	$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.0';
	$_SERVER['REQUEST_METHOD']  = 'GET';
	$_SERVER['REQUEST_URI']     = '/';
	$_SERVER['REMOTE_ADDR']     = '127.0.0.1';

	$GLOBALS['wp_filter']['wp_die_handler'][0]['hostwright'] = array( 'function' => 'hostwright_die_handler', 'accepted_args' => 0 );
	// Its calls to the site itself and to wordpress.org would wait for answers that cannot come yet.
	$GLOBALS['wp_filter']['pre_http_request'][0]['hostwright'] = array( 'function' => 'hostwright_no_http', 'accepted_args' => 0 );
}

function hostwright_die_handler() {
	return 'hostwright_die';
}

function hostwright_die( $message ) {
	throw new Exception( hostwright_plain( is_wp_error( $message ) ? $message->get_error_message() : $message ) );
}

function hostwright_no_http() {
	return new WP_Error( 'hostwright', 'no requests while Hostwright works' );
}

/** WordPress writes mail on an installation; the engine decides what is sent. */
function wp_new_blog_notification() {}

function hostwright_install( array $input ) {
	global $wpdb, $wp_rewrite;
	if ( is_blog_installed() ) {
		throw new Exception( 'WordPress is installed in this database already' );
	}
	if ( array() !== $wpdb->get_col( $wpdb->prepare( 'SHOW TABLES LIKE %s', $wpdb->esc_like( $wpdb->prefix ) . '%' ) ) ) {
		throw new Exception( 'the database holds tables of an unfinished installation' );
	}
	if ( sanitize_user( $input['adminUser'], true ) !== $input['adminUser'] ) {
		throw new Exception( 'WordPress does not accept this name for its administrator' );
	}
	if ( ! is_email( $input['adminEmail'] ) ) {
		throw new Exception( 'WordPress does not accept this mail address for its administrator' );
	}
	if ( 'en_US' !== $input['locale'] && ! is_readable( WP_CONTENT_DIR . '/languages/' . $input['locale'] . '.mo' ) ) {
		throw new Exception( 'the release does not hold the language ' . $input['locale'] );
	}
	require ABSPATH . 'wp-admin/includes/upgrade.php';
	// Slashed, since its login form compares with the slashed $_POST.
	$password = wp_slash( $input['adminPassword'] );
	$locale   = 'en_US' === $input['locale'] ? '' : $input['locale'];
	if ( '' !== $locale ) {
		load_default_textdomain( $locale );
	}
	$made = wp_install( $input['title'], $input['adminUser'], $input['adminEmail'], true, '', $password, $locale );

	// What WordPress chooses after a test request to itself, which it cannot make here.
	$wp_rewrite->set_permalink_structure( '/%year%/%monthnum%/%day%/%postname%/' );
	flush_rewrite_rules( false );

	return hostwright_check( $input, $made, $password ) + hostwright_login_link( $input );
}

/** Reads the database past all caches: the installer also returns after errors. */
function hostwright_check( array $input, array $made, $password ) {
	global $wpdb;
	$tables  = $wpdb->get_col( $wpdb->prepare( 'SHOW TABLES LIKE %s', $wpdb->esc_like( $wpdb->prefix ) . '%' ) );
	$missing = array_diff( $wpdb->tables( 'blog' ) + $wpdb->tables( 'global' ), $tables );
	$missing = array_filter( $missing, 'hostwright_is_expected' );
	if ( array() !== $missing ) {
		throw new Exception( 'tables are missing after the installation: ' . implode( ', ', $missing ) );
	}
	wp_cache_flush();
	$user = wp_authenticate( $input['adminUser'], $password );
	if ( is_wp_error( $user ) || ! user_can( $user, 'manage_options' ) ) {
		throw new Exception( 'the administrator cannot log in after the installation' );
	}
	$stored = $wpdb->get_var( "SELECT option_value FROM {$wpdb->options} WHERE option_name = 'siteurl'" );
	if ( ! is_string( $stored ) || '' === $stored || 0 === (int) $wpdb->get_var( "SELECT COUNT(*) FROM {$wpdb->posts}" ) ) {
		throw new Exception( 'options or first posts are missing after the installation' );
	}
	return hostwright_status() + array( 'url' => home_url( '/' ), 'userId' => (int) $made['user_id'] );
}

function hostwright_is_expected( $table ) {
	global $wpdb;
	// Made by the creation of a network only.
	$network = array( 'blogs', 'blogmeta', 'signups', 'site', 'sitemeta', 'sitecategories', 'registration_log' );
	return ! in_array( substr( $table, strlen( $wpdb->base_prefix ) ), $network, true );
}

function hostwright_status() {
	$installed = is_blog_installed();
	return array(
		'installed' => $installed,
		'version'   => $GLOBALS['wp_version'],
		'title'     => $installed ? html_entity_decode( (string) get_option( 'blogname' ), ENT_QUOTES ) : '',
	);
}

/** Leaves the hash of a token in the database; site.php redeems it. */
function hostwright_login_link( array $input ) {
	global $wpdb;
	if ( ! is_blog_installed() ) {
		throw new Exception( 'WordPress is not installed' );
	}
	$user = get_user_by( 'login', $input['adminUser'] );
	if ( ! $user || ! user_can( $user, 'manage_options' ) ) {
		$found = get_users( array( 'role' => 'administrator', 'orderby' => 'ID', 'number' => 1 ) );
		$user  = isset( $found[0] ) ? $found[0] : null;
	}
	if ( null === $user ) {
		throw new Exception( 'the site has no administrator' );
	}
	$old = $wpdb->get_results( "SELECT option_name, option_value FROM {$wpdb->options} WHERE option_name LIKE 'hostwright\\_login\\_%'" );
	foreach ( $old as $row ) {
		$link = json_decode( $row->option_value, true );
		if ( ! is_array( $link ) || $link['expires'] < time() ) {
			$wpdb->delete( $wpdb->options, array( 'option_name' => $row->option_name ) );
		}
	}
	$name    = bin2hex( random_bytes( 8 ) );
	$token   = bin2hex( random_bytes( 32 ) );
	$expires = time() + min( 900, max( 1, (int) $input['validSeconds'] ) );
	$value   = wp_json_encode( array( 'hash' => hash( 'sha256', $token ), 'user' => $user->ID, 'expires' => $expires ) );
	$row     = array( 'option_name' => 'hostwright_login_' . $name, 'option_value' => $value, 'autoload' => 'no' );
	if ( 1 !== $wpdb->insert( $wpdb->options, $row ) ) {
		throw new Exception( 'the login link could not be stored' );
	}
	return array( 'loginLink' => site_url( 'wp-login.php?hostwright-login=' . $name . $token ), 'expiresAt' => gmdate( 'Y-m-d\TH:i:s\Z', $expires ) );
}

/** What PHP itself said last, such as that the disk is full. */
function hostwright_reason() {
	$last = error_get_last();
	return null === $last ? '' : ': ' . $last['message'];
}

/** Copies a tree into one of the site's own, file by file, and leaves alone what is there. */
function hostwright_copy( $from, $to ) {
	if ( ! is_dir( $from ) ) {
		return 0;
	}
	if ( ! is_dir( $to ) && ! mkdir( $to ) ) {
		throw new Exception( "cannot make the folder $to" . hostwright_reason() );
	}
	$copied = 0;
	foreach ( scandir( $from ) as $name ) {
		$source = "$from/$name";
		$target = "$to/$name";
		if ( '.' === $name || '..' === $name || ( is_link( $source ) && is_dir( $source ) ) ) {
			continue;
		}
		if ( is_dir( $source ) ) {
			$copied += hostwright_copy( $source, $target );
		} elseif ( is_file( $source ) && ! file_exists( $target ) ) {
			// Whole or not at all: a copy that was cut off would pass for the file on the next run.
			$partial = "$target.hostwright-new";
			if ( ! copy( $source, $partial ) || ! rename( $partial, $target ) ) {
				throw new Exception( "cannot copy $target" . hostwright_reason() );
			}
			++$copied;
		}
	}
	return $copied;
}
