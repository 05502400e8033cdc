import {
  quoteValue,
  type Bind,
  type RuntimeRole,
  type ServerView,
  type SiteView,
  type UnitProperty,
} from "@hostwright/core/plugin";
import { askPhp, type PhpAnswer } from "./fastcgi.ts";
import { sh, type ExecResult, type TestedHost } from "../hosts/host.ts";

const word = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A site's user and folders on a host, made by hand as core would, and its PHP as it is rendered. */
export class PlacedSite {
  readonly host: TestedHost;
  readonly view: SiteView;
  readonly #php: RuntimeRole;
  readonly #server: ServerView;

  constructor(host: TestedHost, view: SiteView, php: RuntimeRole, server: ServerView) {
    this.host = host;
    this.view = view;
    this.#php = php;
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
    const properties = [...this.#php.sandbox(this.view, this.#server), ...extra].flatMap(([name, value]) => [
      "-p",
      `${name}=${value}`,
    ]);
    const systemdRun = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", ...properties, "--"];
    return this.host.exec([...systemdRun, ...argv], { input });
  }

  /** A script by the site's command-line interpreter, in its sandbox. */
  async script(path: string, input: string, binds: readonly Bind[] = []): Promise<ExecResult> {
    return this.run([...this.#php.interpreter(this.view, this.#server), path], input, binds);
  }

  /** A request to the site's PHP, as its web server sends it. */
  async ask(path: string, options: { readonly body?: string; readonly script?: string } = {}): Promise<PhpAnswer> {
    const { body = "", script = this.view.rules.scripts?.frontController ?? "" } = options;
    const { domain, platform, runtime } = this.view;
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

/** A value as PHP code. */
export function phpLiteral(value: string | readonly string[]): string {
  return typeof value === "string" ? quoteValue(value, "php") : `[${value.map((one) => phpLiteral(one)).join(", ")}]`;
}
