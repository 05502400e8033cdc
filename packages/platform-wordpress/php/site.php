<?php
/**
 * Part of Hostwright; loaded by wp-config.php, before WordPress's own functions exist. Hooks are therefore written into
 * $wp_filter as plain arrays, which WordPress takes over when it starts.
 */

$GLOBALS['wp_filter']['map_meta_cap'][10]['hostwright'] = array( 'function' => 'hostwright_map_meta_cap', 'accepted_args' => 2 );

if ( isset( $_GET['hostwright-login'] ) ) {
	$GLOBALS['wp_filter']['init'][0]['hostwright'] = array( 'function' => 'hostwright_login', 'accepted_args' => 0 );
}

/** WordPress itself is shared and read-only: nobody is offered its update. */
function hostwright_map_meta_cap( $caps, $cap ) {
	return 'update_core' === $cap ? array( 'do_not_allow' ) : $caps;
}

/** Logs in whoever brings a login link's token: once, and before it expires. */
function hostwright_login() {
	nocache_headers();
	header( 'Referrer-Policy: no-referrer' );
	$user = 'GET' === $_SERVER['REQUEST_METHOD'] ? hostwright_redeem( $_GET['hostwright-login'] ) : null;
	if ( null === $user ) {
		wp_die( 'This login link was used already, or its time is over. Ask for a new one.', 'Login link', array( 'response' => 403 ) );
	}
	wp_set_auth_cookie( $user->ID );
	wp_safe_redirect( admin_url() );
	exit;
}

/** The token's first half finds its row, the second half must fit the hash there. */
function hostwright_redeem( $token ) {
	global $wpdb;
	if ( ! is_string( $token ) || ! preg_match( '/^([0-9a-f]{16})([0-9a-f]{64})$/', $token, $parts ) ) {
		return null;
	}
	$name   = 'hostwright_login_' . $parts[1];
	// Past the object cache, which may hold what is gone.
	$stored = $wpdb->get_var( $wpdb->prepare( "SELECT option_value FROM {$wpdb->options} WHERE option_name = %s", $name ) );
	$link   = is_string( $stored ) ? json_decode( $stored, true ) : null;
	if ( ! is_array( $link ) || ! hash_equals( $link['hash'], hash( 'sha256', $parts[2] ) ) ) {
		return null;
	}
	// Of two requests at once only one deletes the row.
	if ( 1 !== $wpdb->delete( $wpdb->options, array( 'option_name' => $name ) ) || $link['expires'] < time() ) {
		return null;
	}
	$user = get_user_by( 'id', $link['user'] );
	return $user ? $user : null;
}
