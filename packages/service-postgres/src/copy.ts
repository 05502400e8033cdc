import { text, type DatabaseBinding, type DatabaseCopy, type ServerView } from "@hostwright/core/plugin";
import { optionsOf } from "./options.ts";

const TRAILER = "-- Hostwright: all of it";

// What a site set for itself is in no dump of a database's contents, such as how Drupal reads bytes. What only an
// administrator may set is his.
const SETTINGS = String.raw`SELECT format('BEGIN; SELECT pg_catalog.set_config(%L, %L, true); ALTER %s SET %I FROM CURRENT; COMMIT;', word, value, place, word)
  FROM (SELECT split_part(line, '=', 1) AS word, substr(line, strpos(line, '=') + 1) AS value,
      CASE WHEN setrole = 0 THEN '' ELSE 'ROLE CURRENT_USER ' END
      || CASE WHEN setdatabase = 0 THEN '' WHEN setrole = 0 THEN format('DATABASE %I', datname) ELSE format('IN DATABASE %I', datname) END AS place
    FROM pg_db_role_setting, unnest(setconfig) AS line, pg_database WHERE datname = current_database()
      AND setdatabase IN (0, pg_database.oid) AND setrole IN (0, current_user::regrole) AND (setdatabase <> 0 OR setrole <> 0)
  ) AS own LEFT JOIN pg_settings ON name = word WHERE coalesce(context, 'user') = 'user'`;

/**
 * Arguments: what asks for settings, their query, what dumps. The login is given to both. What extensions are called by
 * whoever made them is left out: it comes with them, and an administrator's are not the site's to name. Rows are told from
 * statements, so that none is ever left out.
 */
const DUMP = String.raw`
set -f
psql=$1 settings=$2; shift 2
login=$(cat /dev/fd/3)
ask() {
  "$@" 3<<END
$login
END
}
{ ask "$@" && ask "$psql" -X -q -A -t -w -v ON_ERROR_STOP=1 -c "$settings" -d service=site && echo "${TRAILER}"; } | perl -e '
my ($rows, $last) = (0, "");
while (defined(my $line = <STDIN>)) {
  if ($rows) { $rows = $line ne "\\.\n" }
  elsif ($line =~ /^COPY .* FROM stdin;$/) { $rows = 1 }
  elsif ($line =~ /^COMMENT ON EXTENSION /) { next }
  print $last = $line or exit 2;
}
close STDOUT or exit 2;
exit($last =~ /^${TRAILER}/ ? 0 : 1)'`;

/** By Debian's paths of each version: a dump is taken by its own server's, and read by the other's. */
export function copy(binding: DatabaseBinding, server: ServerView): DatabaseCopy {
  const { host, port, name, user, password } = binding;
  const { version } = optionsOf(server);
  const program = (word: string): string => `/usr/lib/postgresql/${version}/bin/${word}`;
  const client = ["/usr/bin/env", "PGSERVICEFILE=/dev/fd/3"];
  const dumping = ["--no-owner", "--no-privileges", "--no-tablespaces", "--no-password", "--dbname=service=site"];
  // An error tells what happened and not the row that it happened to.
  const loading = ["ON_ERROR_STOP=1", "VERBOSITY=terse", "SHOW_CONTEXT=never"].flatMap((word) => ["-v", word]);
  return {
    dump: [...client, "sh", "-c", DUMP, "sh", program("psql"), SETTINGS, program("pg_dump"), ...dumping],
    load: [...client, program("psql"), "-X", "-q", "-w", "-o", "/dev/null", ...loading, "-d", "service=site"],
    login: text`[site]\nhost=${host}\nport=${String(port ?? 5432)}\ndbname=${name}\nuser=${user}\npassword=${password}\nclient_encoding=UTF8\nconnect_timeout=15\n`,
    trailer: TRAILER,
    program: program("psql"),
    package: `postgresql-client-${version}`,
  };
}
