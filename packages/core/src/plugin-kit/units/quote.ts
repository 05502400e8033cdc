import { HostwrightError } from "../../errors/hostwright-error.ts";

/**
 * A path for unit files, `systemd-run -p` and configuration files alike. They disagree on how blanks, quotes, colons and
 * backslashes are escaped, and systemd itself writes a transient unit's binds back unquoted: such paths are refused. A
 * percent sign is kept here and doubled by `unitValue`.
 * @throws HW_QUOTE_REFUSED
 */
export function safePath(path: string): string {
  const refused =
    !/^\/[A-Za-z0-9._+@,=~%/-]*$/.test(path) ||
    path
      .split("/")
      .some((segment, index) => segment === ".." || segment === "." || (segment === "" && index > 0 && path !== "/"));
  if (refused)
    throw new HostwrightError(
      "HW_QUOTE_REFUSED",
      `The path ${JSON.stringify(path)} cannot be written into a systemd unit safely.`,
    );
  return path;
}

/**
 * A value as a unit file takes it after `Name=`: percent signs doubled, since systemd expands specifiers there.
 * @throws HW_QUOTE_REFUSED for control characters, outer blanks and what continues the line.
 */
export function unitValue(value: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(value) || value.endsWith("\\") || value !== value.trim()) {
    throw new HostwrightError(
      "HW_QUOTE_REFUSED",
      `The value ${JSON.stringify(value)} cannot be written into a systemd unit.`,
    );
  }
  return value.replaceAll("%", "%%");
}

/**
 * The id of a site, as it goes into names of units, sockets and files.
 * @throws HW_QUOTE_REFUSED
 */
export function safeId(id: string): string {
  if (!/^[a-z0-9]{1,40}$/.test(id))
    throw new HostwrightError("HW_QUOTE_REFUSED", `${JSON.stringify(id)} cannot be part of a unit's name.`);
  return id;
}
