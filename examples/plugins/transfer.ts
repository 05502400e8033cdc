import { CONTRACT, defineTask, type Plugin, type TransferStep } from "@hostwright/core/plugin";
import * as z from "zod";

const FILE = "/srv/archive/mail.log";
const end = {
  kind: "program",
  properties: [
    ["ProtectSystem", "strict"],
    ["ReadWritePaths", "/srv/archive"],
  ],
} as const;

const copyArchive = defineTask({
  type: "server:copy-archive",
  version: 1,
  input: z.strictObject({ from: z.string(), to: z.string() }),
  value: z.strictObject({ bytes: z.int() }),
  request: (from: string, to: string) => ({ from, to }),
  title: ({ from, to }) => `copy the archive of ${from} to ${to}`,
  subject: ({ to }) => ({ server: to }),
  async plan({ inventory }, input) {
    const [from, to] = [inventory.server(input.from), inventory.server(input.to)];
    const title = `copy the archive of ${from.name} to ${to.name}`;
    const step: TransferStep = {
      kind: "transfer",
      id: "copy",
      title,
      server: to, // the one that receives
      phase: "prepare",
      // Its input is what `resume` printed: it sends what comes after that.
      from: { ...end, server: from, argv: ["sh", "-c", `read -r there; exec tail -c +$(( there + 1 )) ${FILE}`] },
      to: {
        ...end,
        argv: ["sh", "-c", `exec cat >> ${FILE}`],
        resume: ["sh", "-c", `cat ${FILE} 2>/dev/null | wc -c`],
        writes: ["/srv/archive"],
      },
      idleMs: 60_000,
    };
    return {
      title,
      about: [`server/${to.id}`],
      steps: [step],
      value: {},
      outputs: { bytes: { ref: "output", step: "copy", name: "bytes" } },
    };
  },
});

/** A package whose task copies a file that only grows from one server to another. */
export const archives: Plugin = { name: "hostwright-example-archives", contract: CONTRACT, tasks: [copyArchive] };

export const copyArchiveTo = copyArchive.request; // await hw.run(copyArchiveTo("web1", "store")) gives { bytes: number }
