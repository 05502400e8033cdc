import { expect, test } from "vitest";
import { memoryStore } from "../../test/memory-store/memory-store.ts";
import type { Lease } from "../contracts/store.ts";
import type { TaskSubject } from "../contracts/task.ts";
import { firstWants } from "../engine/workers/first-wants.ts";
import { installSite } from "./install-site.ts";
import { verifyAlias } from "./verify.ts";

test.each(["example.com", "WWW.Example.COM", "@www.example.com"])(
  "a task for %s waits for the install that is to make a site of that name",
  async (name) => {
    const { records, tasks, leases } = memoryStore();
    const submit = async (id: string, about: TaskSubject = {}): Promise<void> => {
      const common = { type: "t", request: {}, plan: null, actor: "a", key: null, timeoutMs: null, createdAt: "" };
      await tasks.submit({ id, ...common }, await firstWants(records, id, about));
    };
    const aliases = ["www.example.com"];
    const asked = installSite.input.parse({ domain: "example.com", platform: "p", aliases });
    await submit("install", installSite.subject(asked));
    await submit("later", verifyAlias.subject({ alias: name }));
    await submit("other", verifyAlias.subject({ alias: "example.net" }));
    const next = async (): Promise<readonly Lease[] | null> => {
      const id = await leases.next(new Set());
      const answer = id === null ? null : await leases.claim(id, "worker");
      return answer !== null && "granted" in answer ? answer.granted : null;
    };
    const claimed = async (): Promise<string | undefined> => (await next())?.[0]?.task;
    expect([await claimed(), await claimed(), await claimed()]).toEqual(["install", "other", undefined]);
    await leases.release("install");
    expect(await claimed()).toBe("later");
  },
);
