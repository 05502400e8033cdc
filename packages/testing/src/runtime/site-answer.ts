/** What a site's code answered on its socket. */
export interface SiteAnswer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}
