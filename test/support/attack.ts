import type { SiteRecord } from "@hostwright/core";
import type { SitePhp } from "./site-php.ts";

/** Stands in files of a site and of its neighbour. */
export const MARK = "mark-of-the-owner-93d1";

/** What comes of an attempt that works on a site's own things alone. */
export const REACHED = { own: true, other: false };

/** A site and its neighbour, whose PHP does what it is told to, as a hostile owner's would. */
export class Attack {
  readonly own: SiteRecord;
  readonly other: SiteRecord;
  readonly #php: SitePhp;

  constructor(php: SitePhp, own: SiteRecord, other: SiteRecord) {
    this.#php = php;
    this.own = own;
    this.other = other;
  }

  /** What the PHP of `own` works out in a request to its site. */
  async php(expression: string): Promise<unknown> {
    return this.#php.value(this.own, expression);
  }

  async neighbourPhp(expression: string): Promise<unknown> {
    return this.#php.value(this.other, expression);
  }

  /** The same attempt of `own`'s PHP on its own thing and on its neighbour's. */
  async attempt(expression: (site: SiteRecord) => string): Promise<{ own: unknown; other: unknown }> {
    return { own: await this.php(expression(this.own)), other: await this.php(expression(this.other)) };
  }
}
