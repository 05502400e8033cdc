<?php
// A guestbook of one line: the codebase that examples/plugins/platform.ts publishes.
$config = require dirname(__DIR__) . '/config.php';
$database = $config['database']();
$database->exec('INSERT INTO entries DEFAULT VALUES');
$visits = (int) $database->query('SELECT count(*) FROM entries')->fetchColumn();
?>
<!doctype html>
<title><?= htmlspecialchars($config['greeting']) ?></title>
<h1>Visitor <?= $visits ?></h1>
