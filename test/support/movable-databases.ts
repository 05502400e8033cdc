import type { PlatformDeclaration, Plugin, ServiceDeclaration } from "@hostwright/core";
import { mediawiki } from "@hostwright/platform-mediawiki";
import { wordpress } from "@hostwright/platform-wordpress";
import { mysql } from "@hostwright/service-mysql";
import { postgres } from "@hostwright/service-postgres";
import { mediawikiCodebase, wordpressCodebases } from "../hosts/codebases.ts";
import type { TestHost } from "../hosts/hosts.ts";

/** A database whose sites can move, with an application on it and rows that are hard to copy. */
export interface MovableDatabase {
  readonly title: string;
  /** Of a test host. */
  readonly unit: string;
  readonly service: (address: string) => ServiceDeclaration;
  readonly plugins: readonly Plugin[];
  readonly platform: PlatformDeclaration;
  readonly codebase: () => Promise<string>;
  /** A page of the application that asks the database, beside its first. */
  readonly page: string;
  readonly ask: (host: TestHost, id: string, statements: string) => Promise<string>;
  /** Rows of every kind, and all else that belongs to a database's contents. */
  readonly fill: string;
  /** Removes most of them: what is left is copied at once. */
  readonly shrink: string;
  /** Row by row, but for what an application notes of its visitors and its own clock. */
  readonly contents: (ask: (statements: string) => Promise<string>) => Promise<readonly string[]>;
  /** Databases and accounts of sites. */
  readonly standing: string;
  /** Lets an import of the filled database fail after its first rows, and what the task then tells. */
  readonly breakImport: (old: TestHost, fresh: TestHost, id: string) => Promise<void>;
  readonly repairImport: (old: TestHost, fresh: TestHost, id: string) => Promise<void>;
  readonly complaint: RegExp;
  /** Gives the database something that its own server alone has, and takes both away again. */
  readonly strange: { readonly make: string; readonly drop: string; readonly called: string };
  /** The program that tells a server's version, what an older one's says, and how that is called. */
  readonly older: { readonly program: string; readonly says: string; readonly called: string };
}

const mariadb: MovableDatabase = {
  title: "MariaDB",
  unit: "mariadb",
  service: (address) => mysql.service({ listen: [address] }),
  plugins: [mysql, wordpress],
  platform: wordpress.platform(),
  codebase: async () => (await wordpressCodebases())["6.8"],
  page: "/wp-login.php",
  ask: async (host, id, input) =>
    (await host.sh(`mariadb -N -B --default-character-set=utf8mb4 ${id}`, { input })).trim(),
  fill: `create table odd (id int primary key, bytes longblob, words longtext) character set utf8mb4;
    insert into odd values (0, x'00ff0a0d5c27221a', 'a\\0b\\nc''d\\\\e \u{1F600} \u00fc; -- Dump completed');
    insert into odd select seq, random_bytes(1024), repeat(concat(seq, 'x'), 4000) from seq_1_to_2000;
    insert into odd values (9999, repeat(random_bytes(1000), 3000), null);
    create view odd_ones as select id from odd where id % 2;`,
  shrink: "delete from odd where id between 1 and 2000",
  async contents(ask) {
    const tables = (await ask("show full tables where table_type = 'BASE TABLE'"))
      .split("\n")
      .map((line) => line.split("\t")[0] ?? "");
    const sums = await ask(
      `checksum table ${tables.filter((table) => table !== "wp_options").join(", ")} extended;
      select md5(group_concat(concat(option_name, option_value) order by option_name)) from wp_options where option_name not like '%transient%' and option_name not like '%cron%';
      select table_name, table_collation, engine from information_schema.tables where table_schema = database() order by 1;
      select count(*), max(length(bytes)) from odd; select count(*) from odd_ones`,
    );
    return sums.split("\n");
  },
  standing: `mariadb -N -B -e "show databases like 's%'; select user, host from mysql.user where user like 's_________'" | grep -v schema | grep -v ^sys || true`,
  breakImport: async (_old, fresh) => void (await fresh.sh(`mariadb -e "set global max_allowed_packet = 1048576"`)),
  repairImport: async (_old, fresh) => void (await fresh.sh(`mariadb -e "set global max_allowed_packet = 67108864"`)),
  complaint: /max_allowed_packet|gone away|Lost connection/,
  strange: {
    make: "install soname 'ha_blackhole'; create table hole (id int) engine = blackhole",
    drop: "drop table hole; uninstall soname 'ha_blackhole'",
    called: "engine BLACKHOLE",
  },
  older: {
    program: "/usr/sbin/mariadbd",
    says: "mariadbd  Ver 10.11.14-MariaDB-0+deb12u2 for debian-linux-gnu on x86_64 (Debian 12)",
    called: "MariaDB 10.11.14 is older",
  },
};

async function psql(host: TestHost, database: string, input: string): Promise<string> {
  return (await host.sh(`runuser -u postgres -- psql -q -X -At -v ON_ERROR_STOP=1 -d ${database}`, { input })).trim();
}

/** What MediaWiki keeps for a while, and counts by and by: it works at that after any page. */
const PASSING = "objectcache|l10n_cache|module_deps|job|uploadstash|querycache|site_stats";

const postgresql: MovableDatabase = {
  title: "PostgreSQL",
  unit: "postgresql",
  service: (address) => postgres.service({ listen: [address], extensions: ["pg_stat_statements"] }),
  plugins: [postgres, mediawiki],
  platform: mediawiki.platform(),
  codebase: mediawikiCodebase,
  page: "/index.php?title=Special:UserLogin",
  // As the site's own role: what an administrator makes is not the site's to copy.
  ask: async (host, id, input) => psql(host, id, `set session authorization ${id};\n${input}`),
  fill: `create extension pg_trgm; comment on extension pg_trgm is 'another text';
    create table odd (id int generated always as identity, bytes bytea, words text, primary key (id));
    comment on table odd is E'two\nlines; -- Hostwright: all of it';
    insert into odd (bytes, words) values ('\\x00ff0a0d5c27221a', E'a\tb\\nc''d\\\\e \u{1F600} \u00fc\nCOMMENT ON EXTENSION pg_trgm IS\n\\\\.\nCOPY odd FROM stdin;');
    insert into odd (words) select 'COMMENT ON EXTENSION ' || n from generate_series(1, 3) n;
    insert into odd (bytes, words) select sha256(n::text::bytea), repeat(n || 'x', 4000) from generate_series(1, 2000) n;
    insert into odd (bytes) values (decode(repeat(md5('x'), 90000), 'hex'));
    create view odd_ones as select id from odd where id % 2 = 1;
    create materialized view odd_sum as select sum(id) from odd;
    create sequence lonely start 41; select nextval('lonely');
    create index odd_words on odd using gin (left(words, 20) gin_trgm_ops);
    create function twice(int) returns int language sql as $$ select $1 * 2 $$;
    select lo_from_bytea(4711, '\\xdeadbeef');
    alter database :DBNAME set bytea_output = 'escape'; alter role current_user set work_mem = '7MB';`,
  shrink: "delete from odd where id between 10 and 2000; refresh materialized view odd_sum",
  async contents(ask) {
    const tables =
      await ask(`select format('select %L, count(*), md5(string_agg(md5(t::text), '''' order by t::text collate "C")) from %I.%I t;', relname, nspname, relname)
      from pg_class join pg_namespace n on n.oid = relnamespace
      where nspname in ('public', 'mediawiki') and relkind in ('r', 'v', 'm') and relname !~ '^(${PASSING}|pg_stat_statements)' order by 1`);
    const rest = `select sequencename, last_value from pg_sequences where sequencename !~ '^(${PASSING})' order by 1;
      select indexdef from pg_indexes where schemaname in ('public', 'mediawiki') order by 1;
      select conname, pg_get_constraintdef(oid) from pg_constraint where conname <> 'here' order by 1, 2;
      select twice(21), last_value, is_called, obj_description('odd'::regclass), encode(lo_get(4711), 'hex') from lonely;
      select extname from pg_extension order by 1;
      select relname from pg_class where relnamespace = 'public'::regnamespace and pg_get_userbyid(relowner) <> current_user order by 1;
      select setrole = 0, setconfig from pg_db_role_setting where setrole <> 0 or setdatabase <> 0 order by 1`;
    return (await ask(`${tables}\n${rest}`)).split("\n");
  },
  standing: `runuser -u postgres -- psql -q -X -At -c "select datname from pg_database where datname ~ '^s.{9}$'" -c "select rolname from pg_roles where rolname ~ '^s.{9}$'"; ls /etc/hostwright/postgres/sites`,
  // A rule that is kept by this server only, as one that asks for a setting, a file or another database.
  breakImport: async (old, _fresh, id) =>
    void (await psql(old, id, `alter table odd add constraint here check (id < 1000 or inet_server_addr() is null)`)),
  repairImport: async (old, _fresh, id) => void (await psql(old, id, "alter table odd drop constraint here")),
  complaint: /violates check constraint "here"/,
  // An administrator's: the site's own role may make those only that it may make on any server.
  strange: {
    make: "reset session authorization; create extension pageinspect",
    drop: "reset session authorization; drop extension pageinspect",
    called: "extension pageinspect",
  },
  older: {
    program: "/usr/lib/postgresql/17/bin/postgres",
    says: "postgres (PostgreSQL) 16.10 (Debian 16.10-1.pgdg12+1)",
    called: "PostgreSQL 16 is older",
  },
};

/** Every database type that a site's database can move between servers of. */
export const movableDatabases: readonly MovableDatabase[] = [mariadb, postgresql];
