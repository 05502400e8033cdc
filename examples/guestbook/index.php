<?php
// A guestbook of one line: the codebase that examples/plugins/platform.ts publishes.
$config = require dirname(__DIR__) . '/config.php';
$database = $config['database']();
$database->exec('INSERT INTO entries DEFAULT VALUES');
$visits = (int) $database->query('SELECT count(*) FROM entries')->fetchColumn();
$today = null;
if ($config['sessions'] !== '') {
    $store = stream_socket_client('unix://' . $config['sessions']);
    fwrite($store, "add visits 0 86400 1\r\n0\r\nincr visits 1\r\nquit\r\n");
    [, $today] = explode("\r\n", stream_get_contents($store));
}
?>
<!doctype html>
<title><?= htmlspecialchars($config['greeting']) ?></title>
<h1>Visitor <?= $visits ?></h1>
<?php if ($today !== null): ?>
<p>of these today: <?= (int) $today ?></p>
<?php endif ?>
