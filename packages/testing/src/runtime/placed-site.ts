import type { Bind, RuntimeRole, ServerView, SiteView, UnitProperty } from "@hostwright/core/plugin";
import { sh, type ExecResult, type TestedHost } from "../hosts/host.ts";
import { askPhp } from "./fastcgi.ts";
import { askProgram } from "./program-http.ts";
import type { SiteAnswer } from "./site-answer.ts";

const word = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A site's user and folders on a host, made by hand as core would, and its code as its runtime runs it. */
export class PlacedSite {
  readonly host: TestedHost;
  readonly view: SiteView;
  readonly #runtime: RuntimeRole;
  readonly #server: ServerView;

  constructor(host: TestedHost, view: SiteView, runtime: RuntimeRole, server: ServerView) {
    this.host = host;
    this.view = view;
    this.#runtime = runtime;
    this.#server = server;
  }

  /** User, folders, and those of `own` below `public/` that the site owns. */
  async place(own: readonly string[] = [], conf: readonly string[] = []): Promise<void> {
    const { user, uid, paths } = this.view;
    const lines = own.flatMap((path) => {
      const parents = path.split("/").slice(0, -1);
      const above = parents.map((_, index) => parents.slice(0, index + 1).join("/"));
      return [
        ...above.map((parent) => `install -d -m 750 -o root -g ${user} ${paths.public}/${parent}`),
        `install -d -m 750 -o ${user} -g ${user} ${paths.public}/${path}`,
      ];
    });
    await sh(
      this.host,
      `set -e
groupadd -g ${uid} ${user}; useradd -M -N -u ${uid} -g ${uid} -d ${paths.home} -s /usr/sbin/nologin ${user}; usermod -aG ${user} www-data
install -d -m 755 /srv/sites; install -d -m 750 -o root -g ${user} ${paths.home} ${paths.conf} ${paths.public}
install -d -m 700 -o ${user} -g ${user} ${paths.private} ${paths.tmp}
${conf.map((folder) => `install -d -m 750 -o root -g ${user} ${paths.conf}/${folder}`).join("\n")}
${lines.join("\n")}`,
    );
  }

  /** A file of `conf/`, readable by the site alone. */
  async write(path: string, content: string): Promise<void> {
    const { paths, user } = this.view;
    const file = word(`${paths.conf}/${path}`);
    const folder = `install -d -m 750 -o root -g ${user} "$(dirname ${file})"`;
    await sh(this.host, `${folder}; cat > ${file}; chown ${user}:root ${file}; chmod 0400 ${file}`, content);
  }

  /** A command in the site's sandbox. */
  async run(argv: readonly string[], input: string = "", binds: readonly Bind[] = []): Promise<ExecResult> {
    const extra = binds.map(({ source, at, writable }): UnitProperty => [
      writable ? "BindPaths" : "BindReadOnlyPaths",
      `${source}:${at}`,
    ]);
    const properties = [...this.#runtime.sandbox(this.view, this.#server), ...extra].flatMap(([name, value]) => [
      "-p",
      `${name}=${value}`,
    ]);
    const systemdRun = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", ...properties, "--"];
    return this.host.exec([...systemdRun, ...argv], { input });
  }

  /** A script by the site's command-line interpreter, in its sandbox. */
  async script(path: string, input: string, binds: readonly Bind[] = []): Promise<ExecResult> {
    return this.run([...this.#runtime.interpreter(this.view, this.#server), path], input, binds);
  }

  /** A request to the site's code, as its web server sends it. */
  async ask(path: string, options: { readonly body?: string; readonly script?: string } = {}): Promise<SiteAnswer> {
    const { body = "", script = this.view.rules.scripts?.frontController ?? "" } = options;
    const { domain, platform, runtime } = this.view;
    if (runtime?.protocol === "http") return askProgram(this.host.server, runtime.socket, domain, path, body);
    const query = path.split("?")[1] ?? "";
    return askPhp(
      this.host.server,
      runtime?.socket ?? "",
      {
        REQUEST_METHOD: body === "" ? "GET" : "POST",
        SCRIPT_FILENAME: `${platform.docroot}${script}`,
        SCRIPT_NAME: script,
        DOCUMENT_ROOT: platform.docroot,
        REQUEST_URI: path,
        QUERY_STRING: query,
        SERVER_PROTOCOL: "HTTP/1.1",
        SERVER_NAME: domain,
        SERVER_PORT: "80",
        HTTP_HOST: domain,
        REMOTE_ADDR: "192.0.2.1",
        GATEWAY_INTERFACE: "CGI/1.1",
        CONTENT_TYPE: "application/x-www-form-urlencoded",
      },
      body,
    );
  }
}
