import { CONTRACT, definePlatform, quoteValue } from "@hostwright/core/plugin";
import type { DriverCall, PlatformPlugin, SiteView } from "@hostwright/core/plugin";
import * as z from "zod";

const Options = z.strictObject({});
const SiteOptions = z.strictObject({ greeting: z.string().max(200).default("Welcome") });

/** Runs as the site's user in the site's sandbox: JSON in by stdin, JSON out as the last line. */
const DRIVER = String.raw`<?php
$input = json_decode(stream_get_contents(STDIN), true);
try {
    $database = (require $input['config'])['database']();
    switch ($input['command']) {
        case 'install':
            $database->exec('CREATE TABLE entries (at timestamptz NOT NULL DEFAULT now())');
            $answer = ['installed' => true];
            break;
        case 'login-link':
            $answer = ['loginLink' => $input['url']];
            break;
        default:
            $found = $database->query("SELECT to_regclass('entries') IS NOT NULL")->fetchColumn();
            $answer = ['installed' => (bool) $found, 'version' => '1.0'];
    }
    echo json_encode($answer), "\n";
} catch (Throwable $error) {
    echo json_encode(['error' => $error->getMessage()]), "\n";
    exit(1);
}
`;

const CONFIG = "config.php";

function settings({ bindings, options }: SiteView): string {
  const { greeting } = options as z.output<typeof SiteOptions>;
  const dsn = `pgsql:host=/run/postgresql;dbname=${bindings.db?.name ?? ""}`;
  // Of a kind that sites may have: most have none.
  const sessions = bindings["sessions"]?.socket ?? "";
  return `<?php
return [
    'greeting' => ${quoteValue(greeting, "php")},
    'database' => fn() => new PDO(${quoteValue(dsn, "php")}),
    'sessions' => ${quoteValue(sessions, "php")},
];
`;
}

const call = (command: string, view: SiteView): DriverCall => ({
  command,
  input: { config: `${view.platform.root}/${CONFIG}`, url: `http://${view.domain}/` },
  timeoutMs: 60_000,
});

export const guestbook: PlatformPlugin<z.input<typeof Options>, z.input<typeof SiteOptions>> = definePlatform({
  name: "example-guestbook",
  contract: CONTRACT,
  type: "guestbook",
  options: { version: 1, schema: Options },
  siteOptions: { version: 1, schema: SiteOptions },
  role: {
    needs: { php: {}, db: { protocols: ["postgres"] }, sessions: { protocols: ["memcached"], optional: true } },
    layout: { docroot: "web", sourceAt: "web", mountPoints: [{ path: CONFIG, kind: "file" }] },
    detect: async (source) =>
      (await source.text("index.php"))?.includes("guestbook") === true ? { version: "1.0" } : null,
    ownFolders: () => [{ path: "pictures" }],
    confFolders: () => [],
    binds: ({ paths, platform }) => [
      { source: `${paths.conf}/${CONFIG}`, at: `${platform.root}/${CONFIG}`, writable: false },
    ],
    webRules: () => ({
      scripts: { frontController: "/index.php" },
      ownPaths: [{ prefix: "/pictures/" }],
      denied: [{ suffix: ".txt" }],
      cache: [],
    }),
    settings: (view) => [{ path: CONFIG, content: settings(view) }],
    application: {
      driver: { name: "guestbook.php", source: DRIVER },
      seed: () => null,
      install: (view) => call("install", view),
      loginLink: (view) => call("login-link", view),
      status: (view) => call("status", view),
    },
  },
});
