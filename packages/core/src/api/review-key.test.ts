import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createHash } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { plainPlugin } from "../../test/plain-plugin.ts";
import { createHostwright } from "../hostwright.ts";
import { canonicalJson } from "../model/canonical.ts";
import { install } from "../tasks/install-site.ts";

test("a key gives the task that was submitted under it by the version before", async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "hostwright-review-"));
  onTestFinished(() => rmSync(stateDir, { recursive: true }));
  const asked = install("a.example.com", { platform: "blog" });
  {
    await using hw = await createHostwright({ stateDir, plugins: [plainPlugin] });
    await hw.submit(asked, { key: "order-1" });
  }
  // As the version before stored it: no version, and its defaults.
  const db = new DatabaseSync(join(stateDir, "store.db"));
  const row = db.prepare("SELECT id, type, request FROM tasks").get() as { id: string; type: string; request: string };
  const { version: _version, ...former } = JSON.parse(row.request) as Record<string, unknown>;
  const digest = createHash("sha256").update(canonicalJson([row.type, former, null])).digest("base64url");
  db.prepare("UPDATE tasks SET request = ?, digest = ?").run(JSON.stringify(former), digest);
  db.close();
  await using hw = await createHostwright({ stateDir, plugins: [plainPlugin] });
  expect((await hw.submit(asked, { key: "order-1" })).id).toBe(row.id);
});
