import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { install, type SiteRecord } from "@hostwright/core";
import type { TestHost } from "../hosts/hosts.ts";
import { wordpressApp, type App } from "./apps.ts";
import { inside, plantProbe } from "./as-site.ts";
import { putPlatform, startEstate, type Estate } from "./estate.ts";

const SOCKET = "/run/mysqld/mysqld.sock";

/** Two sites of one platform on one host; the PHP of each does what it is told to, as a hostile owner's would. */
export class Neighbours implements AsyncDisposable {
  readonly app: App;
  readonly own: SiteRecord;
  readonly other: SiteRecord;
  readonly #estate: Estate;

  private constructor(estate: Estate, app: App, own: SiteRecord, other: SiteRecord) {
    this.#estate = estate;
    this.app = app;
    this.own = own;
    this.other = other;
  }

  static async start(): Promise<Neighbours> {
    const app = await wordpressApp("6.8");
    const estate = await startEstate("one host");
    const { hw, web } = estate;
    await putPlatform(estate, app);
    const made: SiteRecord[] = [];
    for (const domain of ["own.example.com", "other.example.com"]) {
      await hw.run(install(domain, { platform: app.name, options: app.site, title: domain }));
      const site = await hw.sites.get(domain);
      await plantProbe(web, site);
      made.push(site);
    }
    return new Neighbours(estate, app, made[0] as SiteRecord, made[1] as SiteRecord);
  }

  get host(): TestHost {
    return this.#estate.web;
  }

  /** What the PHP of `own` works out, in a request to its site. */
  async php(expression: string): Promise<unknown> {
    return inside(this.host, this.own, expression);
  }

  async neighbourPhp(expression: string): Promise<unknown> {
    return inside(this.host, this.other, expression);
  }

  /** The same attempt of `own`'s PHP on its own thing and on its neighbour's. */
  async attempt(expression: (site: SiteRecord) => string): Promise<{ own: unknown; other: unknown }> {
    return { own: await this.php(expression(this.own)), other: await this.php(expression(this.other)) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#estate[Symbol.asyncDispose]();
    await rm(dirname(this.app.source), { recursive: true, force: true });
  }
}

/** A login with the site's own password: true, or the database's error number. The user is a PHP expression. */
export function loginTo(database: string, user = "DB_USER"): string {
  return `(function () { mysqli_report(MYSQLI_REPORT_OFF); $c = mysqli_init();
    return @$c->real_connect(null, ${user}, DB_PASSWORD, '${database}', 0, '${SOCKET}') ? true : $c->connect_errno; })()`;
}

/** A statement in the site's own session: the first column, true where there is none, or the database's error number. */
export function ask(sql: string): string {
  return `(function () { mysqli_report(MYSQLI_REPORT_OFF); $c = mysqli_init();
    $c->real_connect(null, DB_USER, DB_PASSWORD, DB_NAME, 0, '${SOCKET}');
    $r = $c->query(base64_decode('${Buffer.from(sql).toString("base64")}'));
    return is_object($r) ? array_column($r->fetch_all(), 0) : ($r === true ? true : $c->errno); })()`;
}
