import { CONTRACT, defineTask, file, type Plugin } from "@hostwright/core/plugin";
import * as z from "zod";

const ENTRY = "/etc/hostwright/example-http/entries/zz-notice.conf";

/** Nothing in a text of these characters has a meaning to nginx. */
const Plain = z.string().regex(/^[A-Za-z0-9 .,:-]{1,200}$/);
const page = (text: string) =>
  file({
    path: ENTRY,
    content: `server { listen 80; server_name notice.example.com; default_type text/plain; return 200 "${text}\\n"; }\n`,
    mode: 0o640,
  });

const notice = defineTask({
  type: "server:notice",
  version: 1,
  input: z.strictObject({ server: z.string(), text: Plain.nullable() }),
  value: z.strictObject({}),
  request: (server: string, text: string | null) => ({ server, text }),
  title: ({ server }) => `notice on ${server}`,
  subject: ({ server }) => ({ server }),
  async plan({ inventory }, { server: name, text }) {
    const server = inventory.server(name);
    const owner = `server/${server.id}`;
    const step = { title: `notice on ${server.name}`, server, phase: "prepare" } as const;
    return {
      title: step.title,
      about: [owner],
      steps: [
        {
          ...step,
          kind: "ensure",
          items: text === null ? [] : [{ ...page(text), owner }],
          remove: [{ owners: [owner], keys: [ENTRY] }], // only what no step of the plan declares
        },
        { ...step, kind: "activate", service: "http" }, // tests, switches and reloads, if the entry changed
      ],
      value: {},
    };
  },
});

/** Shows a notice at a name of its own until it is taken back, or until the next verify of the server. */
export const notices: Plugin = { name: "hostwright-example-notices", contract: CONTRACT, tasks: [notice] };

export const showNotice = notice.request; // await hw.run(showNotice("web1", "Back at 12:00."))
