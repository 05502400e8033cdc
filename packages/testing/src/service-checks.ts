import type { ServerView, ServiceDefinition } from "@hostwright/core/plugin";
import { canonicalJson } from "@hostwright/core/testing";
import { strict as assert } from "node:assert";
import type { Check } from "./check.ts";
import type { TestedHost } from "./hosts/host.ts";
import { readFacts } from "./views.ts";

export interface ServiceBench {
  readonly definition: ServiceDefinition;
  readonly host: TestedHost;
  readonly view: ServerView;
  /** All that the service declares, rendered from frozen views. */
  render(): unknown;
}

/** What every service promises, whatever its role. */
export const serviceChecks: readonly Check<ServiceBench>[] = [
  {
    name: "its facts are read from a server that has it, and are plain data",
    async run({ definition, host, view }) {
      const facts = await readFacts(definition, host, view.service.options);
      assert.ok(Object.keys(facts).length > 0);
      assert.deepEqual(JSON.parse(JSON.stringify(facts)), facts);
    },
  },
  {
    name: "a server that has it has no problem that refuses sites; one without it has",
    async run({ definition, host, view }) {
      const facts = await readFacts(definition, host, view.service.options);
      const here = definition.problems({ ...view, facts }).filter(({ tolerable }) => tolerable !== true);
      assert.deepEqual(here, []);
      const none = Object.entries(definition.facts(view.service.options)).map(([name, { parse }]) => [
        name,
        parse({ exitCode: 127, stdout: "", stderr: "not found" }),
      ]);
      const missing = definition.problems({ ...view, facts: Object.fromEntries(none) as Record<string, unknown> });
      assert.ok(
        missing.some(({ tolerable }) => tolerable !== true),
        "a server without it is taken for a good one",
      );
      for (const { message, remedy } of missing) assert.ok(message.length > 5 && remedy.length > 5, message);
    },
  },
  {
    name: "the same view renders the same text, and is not changed by it",
    async run(bench) {
      assert.equal(canonicalJson(bench.render()), canonicalJson(bench.render()));
    },
  },
  {
    name: "unknown options are refused, and no options are enough",
    async run({ definition }) {
      const { schema } = definition.options;
      assert.ok(schema.safeParse({}).success, "it asks for options though nothing has to be given");
      assert.ok(!schema.safeParse({ noSuchOption: 1 }).success, "an option that it does not know is taken");
    },
  },
  {
    name: "its packages are names that Debian knows",
    async run({ definition, host, view }) {
      const packages = definition.packages(view.service.options);
      assert.ok(packages.length > 0);
      for (const name of packages) assert.match(name, /^[a-z0-9][a-z0-9+.-]+$/);
      const { code, stderr } = await host.exec(["dpkg-query", "-W", ...packages]);
      assert.equal(code, 0, stderr);
    },
  },
];
