import {
  ALWAYS_DENIED,
  CONTRACT,
  defineHttpService,
  directory,
  file,
  generations,
  HostwrightError,
  unit,
} from "@hostwright/core";
import type { Declared, HttpEntry, PathPattern, ServicePlugin, SiteView } from "@hostwright/core";
import * as z from "zod";

const ROOT = "/etc/example-http";
const Options = z.strictObject({ port: z.int().min(1).max(65_535).default(80) });

/** What cannot be quoted is refused; this example quotes nothing and takes plain words only. */
function word(value: string): string {
  if (/^[A-Za-z0-9./_-]+$/.test(value)) return value;
  throw new HostwrightError("HW_QUOTE_REFUSED", `${JSON.stringify(value)} cannot stand in the configuration.`);
}

function regex(pattern: PathPattern): string {
  const plain = (text: string): string =>
    text.replace(/[^A-Za-z0-9/_-]/g, (sign) => (sign === "~" ? sign : `\\${sign}`));
  if ("exact" in pattern) return `^${plain(pattern.exact)}$`;
  if ("prefix" in pattern) return `^${plain(pattern.prefix)}`;
  if ("segment" in pattern) return `/${plain(pattern.segment)}(/|$)`;
  return `^${plain(pattern.under ?? "")}.*${plain(pattern.suffix)}$`;
}

/** Pure: the same view gives the same text. The web rules of the platform arrive as data. */
function site(view: SiteView, port: number): HttpEntry {
  const { rules, platform, paths, phpSocket } = view;
  const denied = [...ALWAYS_DENIED, ...rules.denied].map(
    (pattern) => `    location ~ "${regex(pattern)}" { return 404; }`,
  );
  const own = rules.ownPaths.map(
    ({ prefix }) => `    location ~ "${regex({ prefix })}" { root ${word(paths.public)}; }`,
  );
  const front = word(rules.frontController);
  const php = `include fastcgi_params; fastcgi_param SCRIPT_FILENAME ${word(platform.docroot)}${front}; fastcgi_pass unix:${word(phpSocket)};`;
  const content = view.enabled
    ? [
        ...denied,
        `    location = ${front} { ${php} }`,
        '    location ~ "[.]php" { return 404; }',
        ...own,
        "    location / { try_files $uri @front; }",
        `    location @front { ${php} }`,
      ]
    : ["    location / { return 503; }"];
  const names = [view.domain, ...view.aliases].map(word).join(" ");
  const head = [
    `    listen ${port};`,
    `    server_name ${names};`,
    `    root ${word(platform.docroot)};`,
    "    disable_symlinks if_not_owner;",
  ];
  return { name: `${view.id}.conf`, content: `server {\n${[...head, ...content].join("\n")}\n}\n` };
}

function statusEntry(generation: number): HttpEntry {
  const answer = `location = /generation { default_type text/plain; return 200 "${generation}\\n"; }`;
  return { name: "000-status.conf", content: `server { listen 127.0.0.1:592; ${answer} }\n` };
}

const server = (): readonly Declared[] => [
  ...[ROOT, `${ROOT}/entries`].map((path) => directory({ path, mode: 0o750 })),
  generations({ root: ROOT }),
  file({ path: "/etc/nginx/conf.d/example-http.conf", content: `include ${ROOT}/current/*.conf;\n` }),
  unit({ name: "nginx.service", enabled: true, active: true }),
];

export const exampleHttp: ServicePlugin<z.input<typeof Options>> = defineHttpService({
  name: "example-http",
  contract: CONTRACT,
  type: "example-http",
  options: { version: 1, schema: Options },
  packages: () => ["nginx-light"],
  facts: () => ({
    version: { argv: ["nginx", "-v"], parse: ({ stderr }) => /nginx\/([0-9.]+)/.exec(stderr)?.[1] ?? null },
  }),
  problems: ({ facts }) =>
    facts["version"] === null ? [{ message: "nginx is not installed.", mend: "Run the task `prepare`." }] : [],
  role: {
    webUser: "www-data",
    publication: {
      root: ROOT,
      unit: "nginx.service",
      test: ["nginx", "-t"],
      blame: (output) => {
        const [, message, path] = /\[emerg\] (?:\d+#\d+: )?(.*) in (\/.+):\d+$/m.exec(output) ?? [];
        return message === undefined || path === undefined ? null : { file: path, message };
      },
      status: { port: 592, path: "/generation" },
      statusEntry,
    },
    dump: ["nginx", "-T"],
    heldNames: (dump) =>
      dump.split(/^# configuration file (?=.+:$)/m).flatMap((part) => {
        const path = part.slice(0, part.indexOf(":\n"));
        if (path.startsWith(`${ROOT}/`)) return [];
        const names = [...part.matchAll(/^\s*server_name\s+([^;]+);/gm)].flatMap(([, list = ""]) => list.split(/\s+/));
        return names.filter((name) => name.includes(".")).map((name) => ({ name, file: path }));
      }),
    port: ({ service }) => (service.options as z.output<typeof Options>).port,
    server,
    site: (view, { service }) => [site(view, (service.options as z.output<typeof Options>).port)],
  },
});
