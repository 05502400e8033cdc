/**
 * A URL path as data. All are matched on the decoded, normalised path.
 * - `exact`: the whole path; `prefix`: its beginning, ends with `/`
 * - `suffix`: its end (".sql"), optionally only `under` a prefix
 * - `segment`: one whole path segment anywhere (".git")
 */
export type PathPattern =
  | { readonly exact: string }
  | { readonly prefix: string }
  | { readonly suffix: string; readonly under?: string }
  | { readonly segment: string };
