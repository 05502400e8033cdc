import { assert, anything, property, record, string } from "fast-check";
import { expect, test } from "vitest";
import type { Notification } from "../contracts/notifier.ts";
import type { EndedTask } from "../contracts/store.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { preview } from "../tasks/preview.ts";
import { notificationOf } from "./notification.ts";

const ended = (change: Partial<EndedTask> = {}): EndedTask => ({
  id: "t1",
  type: "site:install",
  request: { type: "site:install", domain: "a.example", adminEmail: "private@a.example" },
  state: "needs-attention",
  actor: "ann",
  parent: null,
  key: "order-1",
  timeoutMs: null,
  createdAt: "2026-01-02T03:04:04.000Z",
  finishedAt: "2026-01-02T03:04:05.000Z",
  outcome: null,
  ended: 7,
  ...change,
});
const about = (change: Partial<EndedTask>): Notification => notificationOf(ended(change), 2);
const residue = (n: number) => ({ server: "web1", type: "file", key: `/srv/${n}`, reason: "in use" });

test("says what happened, where, what was left and what to do next", () => {
  const details = { server: "web1", output: "log of the installer", data: { file: "/x" } };
  const error = new HostwrightError("HW_DISK_FULL", "web1: no room", details).toJSON();
  const outcome = { state: "needs-attention", value: {}, error, residue: [residue(0)] };
  expect(about({ outcome })).toEqual({
    id: "msg_t1_2_7",
    type: "task.failed",
    timestamp: "2026-01-02T03:04:05.000Z",
    data: {
      task: "t1",
      type: "site:install",
      about: "a.example",
      actor: "ann",
      state: "needs-attention",
      createdAt: "2026-01-02T03:04:04.000Z",
      error: {
        code: "HW_DISK_FULL",
        message: "web1: no room",
        remedy: expect.stringContaining("Free space"),
        server: "web1",
      },
      residue: [residue(0)],
      residueCount: 1,
      value: {},
    },
  });
});

test("of a task that succeeded has its plain values, and no secret, not even by its name", () => {
  const link = { ref: "secret", id: "task/t1/login-link", label: "login link" };
  const value = {
    url: "http://a.example/",
    pages: 3,
    fresh: true,
    loginLink: link,
    text: "x".repeat(1000),
    none: null,
  };
  const told = about({ state: "succeeded", outcome: { state: "succeeded", value, error: null, residue: [] } });
  expect(told).toMatchObject({ type: "task.succeeded", data: { error: null } });
  expect(told.data.value).toEqual({ url: "http://a.example/", pages: 3, fresh: true });
});

test("of a preview is about what was to be planned", () => {
  expect(about({ request: preview({ type: "site:delete", site: "b.example" } as never) }).data.about).toBe("b.example");
});

test("is bounded and well formed whatever the outcome holds", () => {
  const many = Array.from({ length: 500 }, (_, n) => ({ ...residue(n), reason: "\u{1F600}".repeat(1000) }));
  const long = {
    code: "HW_INTERNAL",
    message: "m".repeat(100_000),
    remedy: "n".repeat(100_000),
    server: "s".repeat(1000),
  };
  const value = Object.fromEntries(many.map(({ key }) => [key.repeat(100), "v".repeat(300)]));
  const told = about({ outcome: { error: long, residue: many, value } });
  expect(told.data).toMatchObject({ residueCount: 500, residue: { length: 20 } });
  expect(JSON.stringify(told).length).toBeLessThan(32_000);
  assert(
    property(record({ outcome: anything(), request: anything(), id: string() }), (change) => {
      const { id, data } = about(change);
      expect(id).toMatch(/^\w+$/);
      expect(JSON.stringify(data).isWellFormed()).toBe(true);
    }),
  );
});
