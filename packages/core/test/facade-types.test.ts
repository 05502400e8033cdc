import { describe, expectTypeOf, test } from "vitest";
import type { Secret } from "../src/model/secret.ts";
import type { TaskRequest, TaskValue } from "../src/contracts/task.ts";
import type { HostwrightError } from "../src/errors/hostwright-error.ts";
import type { Hostwright } from "../src/hostwright.ts";
import { enable, disable, type SwitchedValue } from "../src/tasks/switch-site.ts";
import { install, type installSite } from "../src/tasks/install-site.ts";
import { loginLink } from "../src/tasks/login-link.ts";
import * as z from "zod";
import { changeSite, defineTask, ownerOf, siteParts, siteSteps } from "../src/plugin.ts";
import type { BoundService, DatabaseRole, HttpRole, Planning, PreviewValue, ServerRecord } from "../src/plugin.ts";
import { preview } from "../src/tasks/preview.ts";
import { verify, type VerifyValue } from "../src/tasks/verify.ts";

/** Never run: what is asked is whether it compiles. */
declare const hw: Hostwright;
declare const planning: Planning;
declare const server: ServerRecord;

describe("the types of the facade", () => {
  test("a run gives what its task gives", () => {
    const installing = async () => hw.run(install("example.com", { platform: "wordpress" }));
    type Installed = Awaited<ReturnType<typeof installing>>;
    expectTypeOf<Installed["url"]>().toEqualTypeOf<string>();
    expectTypeOf<Installed["loginLink"]>().toEqualTypeOf<Secret | undefined>();
    const enabling = async () => hw.run(enable("example.com"));
    expectTypeOf(enabling).returns.resolves.toEqualTypeOf<SwitchedValue>();
    const linking = async () => (await hw.run(loginLink("example.com"))).loginLink;
    expectTypeOf(linking).returns.resolves.toEqualTypeOf<Secret>();
  });

  test("so do a plan, a run of it, a task's result and its outcome", () => {
    const planning = async () => hw.plan(verify("web1"));
    type Planned = Awaited<ReturnType<typeof planning>>;
    expectTypeOf<Planned["value"]>().toEqualTypeOf<VerifyValue>();
    const running = async () => hw.run(await planning());
    expectTypeOf(running).returns.resolves.toEqualTypeOf<VerifyValue>();
    const submitting = async () => hw.submit(preview(disable("example.com")));
    type Submitted = Awaited<ReturnType<typeof submitting>>;
    expectTypeOf<Submitted["result"]>().returns.resolves.toEqualTypeOf<PreviewValue>();
    type Outcome = Awaited<ReturnType<Submitted["outcome"]>>;
    expectTypeOf<Extract<Outcome, { state: "succeeded" }>["value"]>().toEqualTypeOf<PreviewValue>();
    expectTypeOf<Exclude<Outcome, { state: "succeeded" }>["error"]>().toEqualTypeOf<HostwrightError>();
  });

  test("what is made by hand is judged first, and gives what is not known", () => {
    expectTypeOf<ReturnType<Hostwright["request"]>>().toEqualTypeOf<TaskRequest<TaskValue>>();
    const running = async () => hw.run(hw.request({ type: "site:enable", site: "example.com" }));
    expectTypeOf(running).returns.resolves.toEqualTypeOf<TaskValue>();
    const approving = async () => hw.run({ plan: "p1", hash: "h" });
    expectTypeOf(approving).returns.resolves.toEqualTypeOf<TaskValue>();
    const late = async () => hw.task("t1").result();
    expectTypeOf(late).returns.resolves.toEqualTypeOf<TaskValue>();
  });

  test("what is misspelt does not compile", () => {
    // @ts-expect-error -- no task type by hand
    void (async () => hw.run({ type: "site:enabel", site: "example.com" }));
    // @ts-expect-error -- an option of another name
    void (() => install("example.com", { platfrom: "wordpress" }));
    const enabling = async () => hw.run(enable("example.com"));
    // @ts-expect-error -- a value of another name
    expectTypeOf<Awaited<ReturnType<typeof enabling>>["enabeld"]>();
  });
});

describe("the types of what a task plans with", () => {
  test("a service has the contract of its kind, and of a kind that is not core's own any of them", () => {
    const bound = <Kind extends string>(kind: Kind) => planning.inventory.service(server, kind);
    expectTypeOf(bound<"http">).returns.toEqualTypeOf<BoundService<HttpRole>>();
    expectTypeOf(bound<"db">).returns.toEqualTypeOf<BoundService<DatabaseRole>>();
    expectTypeOf(bound<"search">).returns.toEqualTypeOf<BoundService>();
  });

  test("nothing of it writes but into the plan, and core's own tasks have no more", () => {
    type Member = "inventory" | "facts" | "viewOf" | "target" | "claimOf" | "registered" | "keyOf" | "quarantined";
    type OfTask = "task" | "signal" | "hasSecret" | "drawnSite" | "drawSite" | "preview";
    expectTypeOf<keyof Planning>().toEqualTypeOf<Member | OfTask>();
    expectTypeOf<Parameters<typeof installSite.plan>[0]>().toEqualTypeOf<Planning>();
    expectTypeOf<Awaited<ReturnType<Planning["hasSecret"]>>>().toEqualTypeOf<boolean>();
  });

  test("the draft of a task gives what its value says", () => {
    const suspend = defineTask({
      type: "site:suspend",
      version: 1,
      input: z.strictObject({ site: z.string() }),
      value: z.strictObject({ site: z.string() }),
      request: (site: string) => ({ site }),
      title: ({ site }, titleOf) => `suspend ${site}${titleOf(disable(site))}`,
      subject: ({ site }) => ({ site }),
      async plan(context, { site: name }) {
        const site = await context.inventory.site(name);
        const parts = await siteParts(context, { ...site, enabled: false });
        const { before, publish } = siteSteps(parts);
        const commit = changeSite(context, parts.site);
        return {
          title: "suspend",
          about: [ownerOf(parts)],
          steps: [...publish, ...before],
          commit,
          value: { site: name },
        };
      },
    });
    const running = async () => hw.run(suspend.request("example.com"));
    expectTypeOf(running).returns.resolves.toEqualTypeOf<{ site: string }>();
    expectTypeOf<Parameters<typeof suspend.plan>[0]>().toEqualTypeOf<Planning>();
  });
});
