import { file, type ScriptRules, type SiteView } from "@hostwright/core/plugin";
import { nginx } from "@hostwright/service-nginx";
import { withRole, type AnyService, type Mutant } from "./mutant.ts";

const site = (change: (view: SiteView) => SiteView): AnyService =>
  withRole(nginx, "http", (role) => ({ site: (view, server) => role.site(change(view), server) }));

const row = (path: string, of: string): string => `a site like wordpress: ${path} ${of}`;

const RESTART = `[Service]
ExecReload=
ExecReload=/bin/sh -c 'nginx -s stop; while [ -e /run/nginx.pid ]; do sleep 0.01; done; exec nginx -g "daemon on; master_process on;"'
`;

/** Takes each generation by ending and beginning anew. */
const restarting = withRole(nginx, "http", (role) => ({
  server: (view) => [
    ...role.server(view),
    file({ path: "/etc/systemd/system/nginx.service.d/restart.conf", content: RESTART, mode: 0o644 }),
  ],
}));

const withScripts =
  (change: Partial<ScriptRules>) =>
  (view: SiteView): SiteView => {
    const { scripts } = view.rules;
    return scripts === null ? view : { ...view, rules: { ...view.rules, scripts: { ...scripts, ...change } } };
  };

/** Broken on a host. */
export const httpHostMutants: readonly Mutant<AnyService>[] = [
  {
    name: "denied paths that are not denied",
    caughtBy: row("/readme.html", "is answered"),
    plugin: site((view) => ({ ...view, rules: { ...view.rules, denied: [] } })),
  },
  {
    name: "every script may run",
    caughtBy: row("/internal.php", "is answered"),
    plugin: site(withScripts({ entryPoints: [{ suffix: ".php" }] })),
  },
  {
    name: "pages that look like files are files",
    caughtBy: row("/wiki/dump.sql", "runs"),
    plugin: site(withScripts({ virtual: [] })),
  },
  {
    name: "aliases are served",
    caughtBy: "an alias leads to the main name",
    plugin: site((view) => ({ ...view, aliasMode: "serve" })),
  },
  {
    name: "a disabled site is served",
    caughtBy: "a disabled site answers 503",
    plugin: site((view) => ({ ...view, enabled: true })),
  },
  {
    name: "programs that are asked for nothing",
    caughtBy: "what is no file goes to the site's program",
    plugin: site((view) => (view.runtime?.protocol === "http" ? { ...view, runtime: null } : view)),
  },
  {
    name: "the web server's password for the program too",
    caughtBy: "a site's own rules stand before its program",
    plugin: site((view) => ({ ...view, ownRules: { ...view.ownRules, basicAuth: null } })),
  },
  {
    name: "uploads of any size",
    caughtBy: "uploads beyond the limit",
    plugin: site((view) => ({ ...view, limits: { ...view.limits, uploadMegabytes: 64 } })),
  },
  {
    name: "no ages",
    caughtBy: "cache ages and nosniff",
    plugin: site((view) => ({ ...view, rules: { ...view.rules, cache: [] } })),
  },
  {
    name: "a file's length is kept while its site rewrites it",
    caughtBy: "a file that is asked for while it is replaced",
    plugin: withRole(nginx, "http", (role) => ({
      site: (view, server) =>
        role
          .site(view, server)
          .map((entry) => ({ ...entry, content: entry.content.replaceAll("open_file_cache off;", "") })),
    })),
  },
  ...["no request is lost", "a publication is a reload"].map((caughtBy) => ({
    name: `a restart instead of a reload, against "${caughtBy}"`,
    caughtBy,
    plugin: restarting,
  })),
  {
    name: "a log of what was asked for",
    caughtBy: "the log names a request's site",
    plugin: withRole(nginx, "http", (role) => ({
      site: (view, server) =>
        role.site(view, server).map((entry) => ({
          ...entry,
          content: entry.content.replaceAll("hostwright.log hostwright", "hostwright.log combined"),
        })),
    })),
  },
  {
    name: "an end of a path that is one before a line break too",
    caughtBy: "a path with a control character opens nothing",
    plugin: withRole(nginx, "http", (role) => ({
      site: (view, server) =>
        role.site(view, server).map((entry) => ({ ...entry, content: entry.content.replaceAll("\\\\z", "$") })),
    })),
  },
  {
    name: "nothing but what others serve is held",
    caughtBy: "names that somebody else serves",
    plugin: withRole(nginx, "http", (role) => ({
      servedNames: (dump) => role.servedNames(dump).filter(({ file }) => !file.startsWith(role.publication.root)),
    })),
  },
  {
    name: "nobody is blamed",
    caughtBy: "somebody else's broken file is blamed",
    plugin: withRole(nginx, "http", ({ publication }) => ({ publication: { ...publication, blame: () => null } })),
  },
  {
    name: "no name is held",
    caughtBy: "names that somebody else serves",
    plugin: withRole(nginx, "http", () => ({ servedNames: () => [] })),
  },
  {
    name: "a test that passes whatever it is given",
    caughtBy: "an own broken entry",
    plugin: withRole(nginx, "http", ({ publication }) => ({ publication: { ...publication, test: ["true"] } })),
  },
  {
    name: "a status of its own number",
    caughtBy: "a second publication changes nothing",
    plugin: withRole(nginx, "http", ({ publication }) => ({
      publication: { ...publication, statusEntry: () => publication.statusEntry(7_000_000) },
    })),
  },
];

/** Judged without a host. */
export const httpMutants: readonly Mutant<AnyService>[] = [
  {
    name: "a status entry that names the number nowhere",
    caughtBy: "the status entry differs",
    plugin: withRole(nginx, "http", ({ publication }) => ({
      publication: { ...publication, statusEntry: () => publication.statusEntry(1) },
    })),
  },
  {
    name: "a status entry of a name of its own",
    caughtBy: "the status entry differs",
    plugin: withRole(nginx, "http", ({ publication }) => ({
      publication: {
        ...publication,
        statusEntry: (number) => ({ ...publication.statusEntry(number), name: `status-${number}.conf` }),
      },
    })),
  },
  {
    name: "names that are spliced in as they are",
    caughtBy: "what is no domain",
    plugin: withRole(nginx, "http", (role) => ({
      site: (view, server) =>
        role
          .site({ ...view, domain: "plain.test", aliases: [] }, server)
          .map(({ name, content }) => ({ name, content: content.replaceAll("plain.test", view.domain) })),
    })),
  },
  {
    name: "a time in the configuration",
    caughtBy: "the same view renders the same text",
    plugin: withRole(nginx, "http", (role) => ({
      site: (view, server) =>
        role.site(view, server).map((entry) => ({ ...entry, content: `# ${performance.now()}\n${entry.content}` })),
    })),
  },
  {
    name: "options that take anything",
    caughtBy: "unknown options are refused",
    plugin: {
      ...nginx,
      services: (nginx.services ?? []).map((service) => ({
        ...service,
        options: {
          ...service.options,
          schema: { safeParse: () => ({ success: true }), parse: () => ({ httpPort: 80, ipv6: true }) } as never,
        },
      })),
    },
  },
];
