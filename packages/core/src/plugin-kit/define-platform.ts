import type * as z from "zod";
import type { Operation } from "../contracts/operation.ts";
import type { PlatformRole } from "../contracts/platform.ts";
import type { OptionsDefinition, PlatformPlugin, Requirement } from "../contracts/plugin.ts";
import type { AnyResourceType } from "../contracts/resource.ts";

export function definePlatform<P extends z.ZodType, S extends z.ZodType>(definition: {
  readonly name: string;
  readonly contract: number;
  readonly type: string;
  readonly requires?: readonly Requirement[];
  readonly options: OptionsDefinition & { readonly schema: P };
  readonly siteOptions: OptionsDefinition & { readonly schema: S };
  readonly role: PlatformRole;
  readonly resourceTypes?: readonly AnyResourceType[];
  readonly operations?: readonly Operation[];
}): PlatformPlugin<z.input<P>, z.input<S>> {
  const { name, contract, requires = [], resourceTypes = [], operations = [], ...platform } = definition;
  const { type } = platform;
  return {
    name,
    contract,
    requires,
    platforms: [platform],
    resourceTypes,
    operations,
    platform: (value) => ({ type, options: value ?? {} }),
    site: (value) => ({ type, options: value ?? {} }),
  };
}
