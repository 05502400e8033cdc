import type { PlatformPlugin } from "@hostwright/core/plugin";
import { phpFpm } from "@hostwright/service-php-fpm";
import { serviceOf } from "@hostwright/testing";
import { serverView, type Plugins } from "./site.ts";

function platformRole(plugin: PlatformPlugin<never, never>): Plugins["platform"] {
  const role = plugin.platforms?.[0]?.role;
  if (role?.application === undefined) throw new Error("the package has no platform with an application");
  return { ...role, application: role.application };
}

/** The roles of the real plugins, with options as a server's record would hold them. */
export function plugins(
  platform: PlatformPlugin<never, never>,
  options: Readonly<Record<string, unknown>> = {},
): Plugins {
  const parsed = phpFpm.services?.[0]?.options.schema.parse(options);
  return { php: serviceOf(phpFpm, "php").role, platform: platformRole(platform), server: serverView(parsed) };
}

/** A site's options as its record would hold them. */
export function siteOptions(
  platform: PlatformPlugin<never, never>,
  options: Readonly<Record<string, unknown>> = {},
): unknown {
  return platform.platforms?.[0]?.siteOptions.schema.parse(options);
}
