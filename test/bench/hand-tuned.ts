import type { TestHost } from "../hosts/hosts.ts";
import { listening } from "./load.ts";

/** The one site that a configuration by hand is for. */
export interface Place {
  readonly domain: string;
  readonly docroot: string;
  /** What the site itself writes to; holds `wp-content`. */
  readonly folder: string;
  readonly socket: string;
}

export const PORT = 8080;
export const UNIT = "hand-tuned.service";
const FOLDER = "/etc/hand-tuned";
const LOGS = "/var/log/hand-tuned";

/**
 * The same server binary once more, with a configuration as an expert writes it for this WordPress and nothing else: no
 * other name, no rule of another platform, no quoting for values that could be anything. It serves the same files and
 * the same PHP socket, keeps the same line of log for each request, and denies what WordPress needs denied. It keeps no
 * connections to PHP: each would hold one of its five workers while others wait for one.
 */
export class HandTuned {
  readonly #host: TestHost;
  readonly #argv: readonly string[];

  private constructor(host: TestHost, argv: readonly string[]) {
    this.#host = host;
    this.#argv = argv;
  }

  static async write(host: TestHost, server: "nginx" | "apache", place: Place): Promise<HandTuned> {
    const file = `${FOLDER}/${server}.conf`;
    const content = server === "nginx" ? nginx(place) : apache(place);
    await host.sh(`mkdir -p ${FOLDER} ${LOGS} && cat > ${file}`, { input: content });
    const argv =
      server === "nginx" ? ["nginx", "-c", file, "-g", "daemon off;"] : ["apache2", "-f", file, "-D", "FOREGROUND"];
    const tested = await host.exec([...argv, "-t"]);
    if (tested.code !== 0) throw new Error(`the configuration by hand is refused:\n${tested.stderr}`);
    return new HandTuned(host, argv);
  }

  async start(): Promise<AsyncDisposable> {
    const run = ["systemd-run", "-q", `--unit=${UNIT}`, "--collect", "-p", "LimitNOFILE=65536", ...this.#argv];
    const started = await this.#host.exec(run);
    if (started.code !== 0) throw new Error(`the server by hand does not start: ${started.stderr}`);
    await listening(this.#host, PORT);
    return { [Symbol.asyncDispose]: async () => void (await this.#host.sh(`systemctl stop ${UNIT}`)) };
  }
}

const TEXTS = "text/css text/javascript application/javascript application/json application/xml image/svg+xml";

function nginx({ domain, docroot, folder, socket }: Place): string {
  return `user www-data;
worker_processes auto;
worker_cpu_affinity auto;
worker_rlimit_nofile 65536;
pcre_jit on;
pid /run/hand-tuned.pid;
error_log ${LOGS}/error.log;
events { worker_connections 4096; }
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    server_tokens off;
    keepalive_requests 10000;
    gzip on;
    gzip_vary on;
    gzip_types ${TEXTS};
    open_file_cache max=10000 inactive=60s;
    open_file_cache_valid 30s;
    log_format site '$server_name $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time';
    access_log ${LOGS}/access.log site buffer=64k flush=5s;
    server {
        listen ${PORT} reuseport;
        server_name ${domain};
        root ${docroot};
        index index.php;
        client_max_body_size 64m;
        disable_symlinks if_not_owner;
        location / { try_files $uri $uri/ /index.php?$args; }
        location ~ /[.] { return 404; }
        location = /wp-config.php { return 404; }
        location /wp-includes/ {
            expires 30d;
            add_header X-Content-Type-Options nosniff always;
        }
        location ^~ /wp-content/ {
            root ${folder};
            expires 1d;
            add_header X-Content-Type-Options nosniff always;
            location ~ [.]php$ { return 404; }
        }
        location ~ [.]php$ {
            try_files $uri =404;
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
            fastcgi_param HTTP_PROXY "";
            fastcgi_buffer_size 32k;
            fastcgi_buffers 16 32k;
            fastcgi_pass unix:${socket};
        }
    }
}
`;
}

const MODULES = "mpm_event authz_core mime dir alias rewrite headers proxy proxy_fcgi deflate filter reqtimeout".split(
  " ",
);

function apache({ domain, docroot, folder, socket }: Place): string {
  return `${MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
ServerRoot /etc/apache2
ServerName ${domain}
PidFile /run/hand-tuned.pid
DefaultRuntimeDir /run
User www-data
Group www-data
Listen ${PORT}
ServerTokens Prod
TraceEnable Off
TypesConfig /etc/mime.types
ErrorLog ${LOGS}/error.log
LogFormat "%v:%p %h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" site
CustomLog ${LOGS}/access.log site
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 5
StartServers 2
ServerLimit 2
ThreadLimit 64
ThreadsPerChild 64
MaxRequestWorkers 128
MinSpareThreads 64
MaxSpareThreads 128
EnableMMAP Off
EnableSendfile On
AddOutputFilterByType DEFLATE text/html ${TEXTS}
RequestHeader unset Proxy early
Header always set X-Content-Type-Options nosniff
<Directory "/">
    AllowOverride None
    Options FollowSymLinks
    Require all denied
</Directory>
DocumentRoot ${docroot}
DirectoryIndex index.php
Alias /wp-content/ ${folder}/wp-content/
<Directory "${docroot}/">
    Options SymLinksIfOwnerMatch
    Require all granted
    FallbackResource /index.php
</Directory>
<Directory "${docroot}/wp-includes/">
    Header set Cache-Control max-age=2592000
</Directory>
<Directory "${folder}/">
    Options SymLinksIfOwnerMatch
    Require all granted
    FallbackResource disabled
    Header set Cache-Control max-age=86400
</Directory>
<FilesMatch "[.]php$">
    SetHandler "proxy:unix:${socket}|fcgi://php/"
</FilesMatch>
RewriteEngine On
RewriteRule "/[.]|^/wp-config[.]php$|^/wp-content/.*[.]php$" "-" [R=404,L]
`;
}
