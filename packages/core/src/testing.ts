import "./node-version.ts";
/**
 * What tests of plugins need besides the public interface: how core itself sets resources, compares states and publishes.
 * It may change with any version; plugins import `@hostwright/core` alone.
 */
export { coreResourceTypes } from "./resources/core-types.ts";
export { canonicalJson } from "./model/canonical.ts";
export { publish } from "./engine/publishing/publisher.ts";
export type { QuarantinedEntry } from "./engine/publishing/outcome.ts";
export type { PublishOptions, PublishResult } from "./engine/publishing/publisher.ts";
export { hashPassword } from "./store/password-hash.ts";
export { OwnRulesSchema } from "./model/own-rules.ts";
