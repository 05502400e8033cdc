import {
  CONTRACT,
  defineHttpService,
  httpEntry,
  oneLine,
  regexesOf,
  webServer,
  webServerProblems,
  webSite,
} from "@hostwright/core";
import type { Declared, HttpEntry, ServicePlugin, SiteView, WebHost, WebSite, WebStep } from "@hostwright/core";
import * as z from "zod";

const ROOT = "/etc/hostwright/example-http";
const Options = z.strictObject({ port: z.int().min(1).max(65_535).default(80) });

/** What cannot be quoted is refused. */
const quoted = (text: string): string => `"${oneLine(text, "nginx's configuration").replace(/[\\"]/g, "\\$&")}"`;

const php = ({ docroot, php: { socket } }: WebSite, script: string): string =>
  `include fastcgi_params; fastcgi_param SCRIPT_FILENAME ${docroot}${script}; fastcgi_pass unix:${socket};`;

function answer(site: WebSite, step: WebStep): string {
  if (step.do === "refuse") return "return 404;";
  if (step.do === "page") return php(site, step.script);
  if (step.do === "script") return `root ${step.root}; try_files $hw_script =404; ${php(site, "$hw_script")}`;
  if (step.do === "file") return `root ${step.root}; try_files $uri ${step.missing === "page" ? "@front" : "=404"};`;
  const to = (rest: string): string => `return ${step.status} ${quoted(`${step.to}${rest}$is_args$args`)};`;
  if (step.rest === null) return to("");
  return `if ($request_uri ~ ${quoted(`^${step.rest}`)}) { ${to("$hw_rest")} } return 404;`;
}

function host(site: WebSite, asked: WebHost): readonly string[] {
  if (asked.answer === "closed") return ["location / { return 503; }"];
  if (asked.answer === "redirect") return [`location / { return 301 $scheme://${asked.to}$request_uri; }`];
  const login = site.basicAuth;
  return [
    ...site.allowFrom.map((network) => `allow ${network};`),
    ...(site.allowFrom.length === 0 ? [] : ["deny all;"]),
    ...(login === null ? [] : [`auth_basic ${quoted(login.realm)};`, `auth_basic_user_file ${login.file};`]),
    `client_max_body_size ${site.uploadMegabytes}m;`,
    "disable_symlinks if_not_owner;",
    ...site.steps.flatMap((step) =>
      regexesOf(step.urls, 1500).map((regex) => `location ~ ${quoted(regex)} { ${answer(site, step)} }`),
    ),
    `location @front { ${php(site, site.frontController)} }`,
  ];
}

/** Pure: the same view gives the same text. What a site means to any web server, core has resolved. */
function site(view: SiteView, port: number): HttpEntry {
  const web = webSite(view);
  const hosts = web.hosts.map((one) => [
    "server {",
    ...[`listen ${port};`, `server_name ${one.names.join(" ")};`, ...host(web, one)].map((line) => `    ${line}`),
    "}",
  ]);
  return httpEntry(`${web.id}.conf`, ...hosts);
}

function statusEntry(generation: number): HttpEntry {
  const answer = `location = /generation { default_type text/plain; return 200 "${generation}\\n"; }`;
  return httpEntry("000-status.conf", [`server { listen 127.0.0.1:592; ${answer} }`]);
}

const server = (): readonly Declared[] =>
  webServer({
    root: ROOT,
    unit: "nginx.service",
    include: { path: "/etc/nginx/conf.d/example-http.conf", content: `include ${ROOT}/current/*.conf;\n` },
    entries: [],
  });

export const exampleHttp: ServicePlugin<z.input<typeof Options>> = defineHttpService({
  name: "example-http",
  contract: CONTRACT,
  type: "example-http",
  options: { version: 1, schema: Options },
  packages: () => ["nginx-light"],
  facts: () => ({
    version: { argv: ["nginx", "-v"], parse: ({ stderr }) => /nginx\/([0-9.]+)/.exec(stderr)?.[1] ?? null },
  }),
  problems: (view) =>
    webServerProblems(view, { name: "nginx", package: "nginx-light", root: ROOT, test: "nginx -t" }, undefined, []),
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
