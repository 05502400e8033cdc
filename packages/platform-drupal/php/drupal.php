<?php

/**
 * @file
 * Part of Hostwright: works on one Drupal site from outside.
 *
 * Reads one JSON object from stdin, and prints one JSON object as its last line: the result, or {"error"} with exit
 * code 1. Runs as the site's user in the site's sandbox.
 */

use Drupal\Core\Database\Database;
use Drupal\Core\DrupalKernel;
use Drupal\Core\Site\Settings;
use Drupal\user\Entity\User;
use Symfony\Component\HttpFoundation\Request;

error_reporting(E_ERROR);
ini_set('display_errors', '0');
ob_start();
register_shutdown_function('hostwright_ended_early');

try {
  $hostwright_input = json_decode(stream_get_contents(STDIN), TRUE, 8, JSON_THROW_ON_ERROR);
  hostwright_finish(hostwright_run($hostwright_input), 0);
}
catch (Throwable $error) {
  hostwright_finish(['error' => hostwright_plain($error->getMessage())], 1);
}

function hostwright_run(array $input): array {
  switch ($input['command']) {
    case 'seed':
      return hostwright_seed($input['private']);

    case 'install':
      return hostwright_install($input);

    case 'login-link':
      return hostwright_login_link($input);

    case 'status':
      $loader = hostwright_prepare($input);
      return hostwright_status($loader);
  }
  throw new Exception('unknown command');
}

function hostwright_finish(array $result, int $code): never {
  $GLOBALS['hostwright_finished'] = TRUE;
  while (ob_get_level() > 0) {
    ob_end_clean();
  }
  echo "\n", json_encode($result, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE), "\n";
  exit($code);
}

/** After a fatal error, or an exit() somewhere in the application. */
function hostwright_ended_early(): void {
  if (isset($GLOBALS['hostwright_finished'])) {
    return;
  }
  $last = error_get_last();
  $fatal = $last !== NULL && ($last['type'] & (E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_RECOVERABLE_ERROR));
  $said = $fatal ? $last['message'] : hostwright_plain((string) ob_get_contents());
  hostwright_finish(['error' => 'Drupal ended early: ' . substr($said, 0, 2000)], 1);
}

function hostwright_plain(string $html): string {
  return trim(preg_replace('/\s+/', ' ', html_entity_decode(strip_tags($html), ENT_QUOTES)));
}

function hostwright_seed(string $private): array {
  foreach (['config', 'config/sync', 'files', 'php'] as $folder) {
    if (!is_dir("$private/$folder") && !mkdir("$private/$folder", 0700)) {
      throw new Exception("cannot make the folder $private/$folder: " . (error_get_last()['message'] ?? ''));
    }
  }
  return ['ready' => TRUE];
}

/** Drupal's code takes the request from $_SERVER, and finds its parts from the working directory. */
function hostwright_prepare(array $input): object {
  chdir($input['docroot']);
  $_SERVER['HTTP_HOST'] = $input['domain'];
  $_SERVER['SERVER_NAME'] = $input['domain'];
  $_SERVER['SERVER_PORT'] = 80;
  $_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.0';
  $_SERVER['REMOTE_ADDR'] = '127.0.0.1';
  $_SERVER['REQUEST_METHOD'] = 'GET';
  $_SERVER['REQUEST_URI'] = '/';
  $_SERVER['SCRIPT_NAME'] = '/index.php';
  $_SERVER['PHP_SELF'] = '/index.php';
  $_SERVER['SCRIPT_FILENAME'] = $input['docroot'] . '/index.php';
  return require $input['docroot'] . '/autoload.php';
}

function hostwright_boot(array $input): void {
  $loader = hostwright_prepare($input);
  $request = Request::createFromGlobals();
  $kernel = DrupalKernel::createFromRequest($request, $loader, 'prod');
  $kernel->boot();
  $kernel->preHandle($request);
  $kernel->getContainer()->get('request_stack')->push($request);
}

function hostwright_install(array $input): array {
  $loader = hostwright_prepare($input);
  // Its batches reckon with a browser that comes again; this process may use what its sandbox grants.
  ini_set('memory_limit', '-1');
  require_once $input['docroot'] . '/core/includes/install.core.inc';
  install_drupal($loader, [
    'interactive' => FALSE,
    'site_path' => 'sites/default',
    'parameters' => ['profile' => $input['profile'], 'langcode' => $input['langcode']],
    'forms' => [
      'install_configure_form' => [
        'site_name' => $input['title'],
        'site_mail' => $input['adminEmail'],
        'account' => [
          'name' => $input['adminUser'],
          'mail' => $input['adminEmail'],
          'pass' => ['pass1' => $input['adminPassword'], 'pass2' => $input['adminPassword']],
        ],
        'enable_update_status_module' => NULL,
        'enable_update_status_emails' => NULL,
      ],
    ],
  ]);
  return hostwright_check($input);
}

/** The installer also returns after a task that failed: what it left in the database decides. */
function hostwright_check(array $input): array {
  $database = Database::getConnection();
  if (!hostwright_is_installed()) {
    throw new Exception('the installer returned before its last step');
  }
  $user = $database->query('SELECT name, pass, status FROM {users_field_data} WHERE uid = 1')->fetchObject();
  if (!$user || $user->name !== $input['adminUser'] || (int) $user->status !== 1) {
    throw new Exception('the administrator is missing after the installation');
  }
  if (!\Drupal::service('password')->check($input['adminPassword'], $user->pass)) {
    throw new Exception('the administrator cannot log in after the installation');
  }
  $config = static fn(string $name): array => (array) unserialize((string) $database->query('SELECT data FROM {config} WHERE collection = :none AND name = :name', [':none' => '', ':name' => $name])->fetchField(), ['allowed_classes' => FALSE]);
  if (($config('core.extension')['profile'] ?? NULL) !== $input['profile']) {
    throw new Exception('the profile is not enabled after the installation');
  }
  if (($config('system.site')['name'] ?? NULL) !== $input['title']) {
    throw new Exception('the title is missing after the installation');
  }
  return ['installed' => TRUE, 'version' => \Drupal::VERSION, 'title' => $input['title'], 'url' => 'http://' . $input['domain'] . '/'];
}

/** Without Drupal's services, which do not start on an empty database. */
function hostwright_is_installed(): bool {
  $database = Database::getConnection();
  if (!$database->schema()->tableExists('key_value')) {
    return FALSE;
  }
  $state = $database->query('SELECT value FROM {key_value} WHERE collection = :state AND name = :task', [':state' => 'state', ':task' => 'install_task'])->fetchField();
  return is_string($state) && unserialize($state, ['allowed_classes' => FALSE]) === 'done';
}

function hostwright_status(object $loader): array {
  Settings::initialize(getcwd(), 'sites/default', $loader);
  $installed = hostwright_is_installed();
  $title = '';
  if ($installed) {
    $data = Database::getConnection()->query("SELECT data FROM {config} WHERE collection = '' AND name = 'system.site'")->fetchField();
    $title = (string) (unserialize((string) $data, ['allowed_classes' => FALSE])['name'] ?? '');
  }
  return ['installed' => $installed, 'version' => \Drupal::VERSION, 'title' => $title];
}

/** Drupal's own reset link: a login makes it invalid. */
function hostwright_login_link(array $input): array {
  hostwright_boot($input);
  $user = hostwright_administrator();
  $timeout = (int) \Drupal::config('user.settings')->get('password_reset_timeout');
  // For accounts that never logged in Drupal knows no expiry.
  if (!$user->getLastLoginTime()) {
    $user->setLastLoginTime(1)->save();
  }
  // Dated back, so that it ends sooner than Drupal's own links do; not to before the last login, which would end it now.
  $now = \Drupal::time()->getCurrentTime();
  $timestamp = min($now, max((int) $user->getLastLoginTime(), $now - $timeout + (int) $input['validSeconds']));
  $path = implode('/', ['user/reset', $user->id(), $timestamp, user_pass_rehash($user, $timestamp), 'login']);
  return ['loginLink' => 'http://' . $input['domain'] . '/' . $path, 'expiresAt' => gmdate('Y-m-d\TH:i:s\Z', $timestamp + $timeout)];
}

function hostwright_administrator(): User {
  $user = User::load(1);
  if ($user !== NULL && $user->isActive()) {
    return $user;
  }
  $storage = \Drupal::entityTypeManager();
  $roles = $storage->getStorage('user_role')->getQuery()->accessCheck(FALSE)->condition('is_admin', TRUE)->execute();
  $ids = $roles === [] ? [] : $storage->getStorage('user')->getQuery()->accessCheck(FALSE)->condition('status', 1)->condition('roles', $roles, 'IN')->sort('uid')->range(0, 1)->execute();
  $user = $ids === [] ? NULL : User::load(reset($ids));
  if ($user === NULL) {
    throw new Exception('the site has no active administrator');
  }
  return $user;
}
