import { quoteValue } from "@hostwright/core/plugin";
import type { RuntimeLanguage } from "./language.ts";

const INDEX = `<?php error_reporting(0); $value = eval('return ' . file_get_contents('php://input') . ';');
echo json_encode($value, JSON_PARTIAL_OUTPUT_ON_ERROR);`;

/** A value as PHP code. */
export function phpLiteral(value: string | readonly string[]): string {
  return typeof value === "string" ? quoteValue(value, "php") : `[${value.map((one) => phpLiteral(one)).join(", ")}]`;
}

const LIST = "($names = @scandir($f)) === false ? false : array_values(array_diff($names, ['.', '..']))";

/** One script, `/index.php`. */
export const phpLanguage: RuntimeLanguage = {
  files: { "web/index.php": INDEX },
  program: null,
  evaluating: (expression) => [
    "-r",
    `error_reporting(0); echo json_encode(${expression}, JSON_PARTIAL_OUTPUT_ON_ERROR);`,
  ],
  ids: "[posix_getuid(), posix_getgid()]",
  pid: "getmypid()",
  owners: "array_values(array_unique(array_map('fileowner', glob('/proc/[0-9]*'))))",
  signals: (pid) => `posix_kill(${pid}, 0)`,
  lists: (folders) => `array_map(fn($f) => ${LIST}, ${phpLiteral(folders)})`,
  exist: (paths) => `array_map('file_exists', ${phpLiteral(paths)})`,
  writes: (paths) => `array_map(fn($f) => @file_put_contents($f, 'x') !== false, ${phpLiteral(paths)})`,
  readable: (path) => `is_readable(${phpLiteral(path)})`,
  reads: (path) => `file_get_contents(${phpLiteral(path)})`,
  listens: (addresses) => `array_map(fn($a) => (bool) @stream_socket_server($a), ${phpLiteral(addresses)})`,
  connects: (socket) => `(bool) @stream_socket_client(${phpLiteral(`unix://${socket}`)})`,
  takes: (bytes) => `strlen(str_repeat('x', ${bytes}))`,
};
