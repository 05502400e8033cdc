import type { SiteView } from "@hostwright/core/plugin";
import type { TestHost } from "../hosts/hosts.ts";

/** The least of an nginx configuration that shows a site; the real one is its service's. */
export async function serve(host: TestHost, view: SiteView): Promise<void> {
  const own = view.rules.ownPaths.map(
    ({ prefix }) =>
      `location ^~ ${prefix} { root ${view.paths.public}; try_files $uri /index.php?$args; location ~ \\.php { return 404; } }`,
  );
  const config = `server { listen 80; server_name ${view.domain}; root ${view.platform.docroot}; index index.php;
${own.join("\n")}
location ~ \\.php$ { try_files $uri =404; include fastcgi_params; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass unix:${view.runtime?.socket ?? ""}; }
location / { try_files $uri $uri/ /index.php?$args; } }\n`;
  await host.sh(`cat > /etc/nginx/conf.d/${view.id}.conf; nginx -q -t && systemctl restart nginx`, { input: config });
}

export interface Answer {
  readonly status: number;
  readonly location: string;
  readonly seconds: number;
  readonly body: string;
}

/** A browser on the host itself, with a jar of cookies by name. */
export async function get(
  host: TestHost,
  url: string,
  options: { readonly jar?: string; readonly form?: Readonly<Record<string, string>>; readonly method?: string } = {},
): Promise<Answer> {
  const { hostname } = new URL(url);
  const jar = options.jar === undefined ? [] : ["-b", `/tmp/${options.jar}`, "-c", `/tmp/${options.jar}`];
  const form = Object.entries(options.form ?? {}).flatMap(([name, value]) => ["--data-urlencode", `${name}=${value}`]);
  const method = options.method === undefined ? [] : options.method === "HEAD" ? ["-I"] : ["-X", options.method];
  const argv = [
    "curl",
    "-sS",
    "-m",
    "60",
    "--resolve",
    `${hostname}:80:127.0.0.1`,
    "-w",
    "\n%{http_code} %{time_total} %{redirect_url}",
    ...jar,
    ...form,
    ...method,
    url,
  ];
  const { code, stdout, stderr } = await host.exec(argv);
  if (code !== 0) throw new Error(`${url}: ${stderr}`);
  const lines = stdout.split("\n");
  const [status = "0", seconds = "0", location = ""] = (lines.pop() ?? "").split(" ");
  return { status: Number(status), seconds: Number(seconds), location, body: lines.join("\n") };
}

export function titleOf(body: string): string {
  return /<title>(.*?)<\/title>/s.exec(body)?.[1] ?? "";
}
