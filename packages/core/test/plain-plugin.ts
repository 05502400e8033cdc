import * as z from "zod";
import type { PlatformDefinition, Plugin, ServiceDefinition } from "../src/contracts/plugin.ts";
import type { HttpRole } from "../src/contracts/roles/http.ts";
import { CONTRACT } from "../src/plugin-kit/contract.ts";

const nothing = (): never => {
  throw new Error("nobody asks it in this test");
};

export const plainOptions = { version: 3, schema: z.strictObject({ port: z.int().default(80) }) };

/** A web server as whole as the contract asks, that does nothing. */
export const plainHttp: ServiceDefinition<HttpRole> = {
  kind: "http",
  type: "web",
  options: plainOptions,
  packages: () => [],
  facts: () => ({}),
  problems: () => [],
  role: {
    webUser: "www-data",
    publication: {
      root: "/etc/web",
      unit: "web.service",
      test: ["true"],
      blame: () => null,
      status: { port: 591, path: "/generation" },
      statusEntry: nothing,
    },
    dump: ["true"],
    servedNames: () => [],
    port: ({ service }) => (service.options as { readonly port: number }).port,
    server: () => [],
    site: () => [],
  },
};

export const plainPlatform: PlatformDefinition = {
  type: "blog",
  options: plainOptions,
  siteOptions: plainOptions,
  role: {
    needs: { php: {} },
    layout: { docroot: ".", sourceAt: ".", mountPoints: [] },
    detect: async (source) => ((await source.exists("blog.php")) ? { version: "1.0" } : null),
    ownFolders: () => [],
    confFolders: () => [],
    binds: () => [],
    webRules: nothing,
    settings: () => [],
    application: {
      driver: { name: "blog.php", source: "<?php" },
      seed: () => null,
      install: nothing,
      loginLink: nothing,
      status: nothing,
    },
  },
};

export const plainPlugin: Plugin = {
  name: "test-plugin",
  contract: CONTRACT,
  services: [plainHttp],
  platforms: [plainPlatform],
};
