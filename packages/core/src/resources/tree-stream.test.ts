import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { testTarget } from "../../test/test-target.ts";
import { LocalServer } from "../servers/local-server.ts";
import { digestTree } from "./tree-digest.ts";
import { treeType } from "./tree.ts";

test("a small release arrives whole, though its server begins to read long after all of it was sent", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tree-stream-"));
  const server = new LocalServer("here");
  try {
    const source = join(folder, "source");
    await mkdir(source);
    await writeFile(join(source, "index.php"), "<?php");
    const target = {
      ...testTarget({}, server),
      mutate: async (script: Parameters<LocalServer["script"]>[0]) => {
        await delay(500);
        return server.script(script);
      },
    };
    const after = { digest: await digestTree(source), from: { source, at: ".", mountPoints: [] } };
    await treeType.apply(target, [{ key: join(folder, "release"), before: null, after }]);
    expect(await readFile(join(folder, "release/index.php"), "utf8")).toBe("<?php");
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
});
