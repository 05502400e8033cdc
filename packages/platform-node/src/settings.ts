import {
  quoted,
  quoteValue,
  text,
  textOf,
  type Binding,
  type Reference,
  type SettingsFile,
  type SiteView,
  type Text,
} from "@hostwright/core/plugin";

type Variables = Readonly<Record<string, string | Reference>>;

function assign([name, value]: readonly [name: string, value: string | Reference]): Text {
  return text`${name}=${typeof value === "string" ? quoteValue(value, "environment-file") : quoted(value, "environment-file")}\n`;
}

/** How the program reaches a service: by a socket, or by host and port. */
function reach(name: string, { protocol, host, port, socket, user, password }: Binding): Variables {
  return {
    [`${name}_PROTOCOL`]: protocol,
    ...(socket === null
      ? { [`${name}_HOST`]: host, ...(port === null ? {} : { [`${name}_PORT`]: String(port) }) }
      : { [`${name}_SOCKET`]: socket }),
    [`${name}_USER`]: user,
    [`${name}_PASSWORD`]: password,
  };
}

/** Variables of the program: what `process.env` has beside those of its service. */
export function settings({ id, domain, paths, bindings: { db, cache } }: SiteView): readonly SettingsFile[] {
  const variables: Variables = {
    SITE_ID: id,
    SITE_URL: `http://${domain}`,
    DATA_DIR: paths.private,
    ...(db === undefined ? {} : { ...reach("DB", db), DB_NAME: db.name }),
    ...(cache === undefined ? {} : { ...reach("CACHE", cache), CACHE_PREFIX: cache.prefix }),
  };
  const parts = Object.entries(variables).map(assign);
  const content = ["# Written by Hostwright. Changes made here are lost.\n", ...parts];
  return [
    { path: "env", content: textOf(content.flatMap((part) => (typeof part === "string" ? [part] : part.parts))) },
  ];
}
