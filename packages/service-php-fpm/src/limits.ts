import { safePath, type SiteView } from "@hostwright/core/plugin";
import type { PhpFpmOptions } from "./options.ts";
import { iniValue } from "./quote.ts";

/** Seconds that a stopping master gives its running requests before it ends them. */
export const GRACE_SECONDS = 10;

type IniValues = Readonly<Record<string, string | number | boolean>>;

/**
 * Fixed for the site (`php_admin_value`): folders that keep sites apart, and limits that the web server and the kernel
 * hold at the same values, so that raising them in PHP alone would only break uploads later.
 */
export function fixedIni(view: SiteView): IniValues {
  const tmp = safePath(view.paths.tmp);
  return {
    sys_temp_dir: tmp,
    upload_tmp_dir: tmp,
    upload_max_filesize: `${view.limits.uploadMegabytes}M`,
    // The request holds the file and the rest of its form.
    post_max_size: `${view.limits.uploadMegabytes + 8}M`,
    file_uploads: true,
    expose_php: false,
    allow_url_include: false,
    // Would be looked for in every folder up to the script, all of them read-only.
    "user_ini.filename": "",
  };
}

/** Defaults that an application may change for itself (`php_value`): the kernel and the master bound what it asks for. */
export function changeableIni(view: SiteView, options: PhpFpmOptions): IniValues {
  return {
    "session.save_path": safePath(view.paths.tmp),
    memory_limit: `${view.limits.memoryMegabytes}M`,
    max_execution_time: view.limits.requestSeconds,
    max_input_time: view.limits.requestSeconds,
    max_input_vars: 5000,
    display_errors: false,
    log_errors: true,
    "session.gc_probability": 1,
    "session.gc_divisor": 100,
    "session.use_strict_mode": true,
    "session.cookie_httponly": true,
    "zend.exception_ignore_args": true,
    "date.timezone": options.timezone,
  };
}

/** Read once, when the master starts: these have no effect in a pool's section and go onto its command line. */
export function masterIni(options: PhpFpmOptions): IniValues {
  return {
    "opcache.memory_consumption": options.opcacheMegabytes,
    "opcache.interned_strings_buffer": 16,
    "opcache.max_accelerated_files": 20000,
    // The release never changes, but the owner's own plugins and themes do.
    "opcache.validate_timestamps": 1,
    "opcache.revalidate_freq": 2,
    realpath_cache_size: "4096k",
    realpath_cache_ttl: 120,
    "cgi.fix_pathinfo": 0,
    // In a pool's section php-fpm takes the word for a file's name.
    error_log: "syslog",
  };
}

/** `-d name=value` arguments; PHP itself puts quotes around what does not begin with a letter or digit. */
export function iniArguments(values: IniValues): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    iniValue(value);
    return ["-d", `${name}=${typeof value === "boolean" ? Number(value) : value}`];
  });
}
