<?php
/** Part of Hostwright; loaded by LocalSettings.php. */

use MediaWiki\MediaWikiServices;
use MediaWiki\SpecialPage\SpecialPage;

if ( isset( $_GET['hostwright-login'] ) ) {
	$wgHooks['BeforeInitialize'][] = 'hostwright_login';
}

/** Logs in whoever brings a login link's token: once, and before it expires. */
function hostwright_login( $title, $unused, $output, $user, $request ) {
	header( 'Referrer-Policy: no-referrer' );
	header( 'Cache-Control: no-store' );
	$found = $request->getMethod() === 'GET' ? hostwright_redeem( $_GET['hostwright-login'] ) : null;
	if ( $found === null ) {
		http_response_code( 403 );
		header( 'Content-Type: text/plain' );
		echo "This login link was used already, or its time is over. Ask for a new one.\n";
		exit;
	}
	$session = $request->getSession();
	$session->resetId();
	$session->setUser( $found );
	$session->persist();
	$session->save();
	header( 'Location: ' . SpecialPage::getTitleFor( 'Specialpages' )->getFullURL(), true, 302 );
	MediaWikiServices::getInstance()->getDBLoadBalancerFactory()->commitPrimaryChanges( __METHOD__ );
	exit;
}

/** The token's first half finds its row, the second half must fit the hash there. */
function hostwright_redeem( $token ) {
	if ( !is_string( $token ) || !preg_match( '/^([0-9a-f]{16})([0-9a-f]{64})$/', $token, $parts ) ) {
		return null;
	}
	$key = [ 'ul_key' => "hostwright-login-$parts[1]" ];
	$database = MediaWikiServices::getInstance()->getConnectionProvider()->getPrimaryDatabase();
	$stored = $database->newSelectQueryBuilder()->select( 'ul_value' )->from( 'updatelog' )->where( $key )
		->caller( __METHOD__ )->fetchField();
	$link = is_string( $stored ) ? json_decode( $stored, true ) : null;
	if ( !is_array( $link ) || !hash_equals( $link['hash'], hash( 'sha256', $parts[2] ) ) ) {
		return null;
	}
	// Of two requests at once only one deletes the row.
	$database->newDeleteQueryBuilder()->deleteFrom( 'updatelog' )->where( $key )->caller( __METHOD__ )->execute();
	if ( $database->affectedRows() !== 1 ) {
		return null;
	}
	MediaWikiServices::getInstance()->getDBLoadBalancerFactory()->commitPrimaryChanges( __METHOD__ );
	$user = $link['expires'] < time() ? null : MediaWikiServices::getInstance()->getUserFactory()->newFromId( $link['user'] );
	return $user !== null && $user->isRegistered() ? $user : null;
}
