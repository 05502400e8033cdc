// The containers are the conformance kit's, for plugin authors have no others; this is how the project's own tests name them.
export { startHosts } from "../../packages/testing/src/containers/hosts.ts";
export type { TestHosts } from "../../packages/testing/src/containers/hosts.ts";
export type { HostSpec } from "../../packages/testing/src/containers/host-spec.ts";
export type { TestHost } from "../../packages/testing/src/containers/test-host.ts";
