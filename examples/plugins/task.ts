import { childrenReport, CONTRACT, defineTask, runChecked, type Operation, type Plugin } from "@hostwright/core/plugin";
import * as z from "zod";

const FILE = "/var/log/hostwright-notes";
// Fixed programs: data goes by arguments. A line begins with its attempt, by which it is found again after a crash.
const WRITE = 'printf "%s %s\\n" "$1" "$2" >> "$3"';
const LOOK = 'grep -c "^$1 " "$2" || true';
const TAKE_BACK = '[ ! -e "$2" ] || sed -i "/^$1 /d" "$2"';

const noteOperation: Operation<{ readonly text: string }> = {
  name: "example-note",
  version: 1,
  async run({ target, attempt }, { text }) {
    await target.mutate({ script: WRITE, args: [attempt, text, FILE] });
    return null;
  },
  async probe({ target, attempt }) {
    const { stdout } = await runChecked(target.server, { script: LOOK, args: [attempt, FILE] });
    return stdout.toString("utf8").trim() === "1" ? "done" : "absent";
  },
  async undo({ target, attempt }) {
    await target.mutate({ script: TAKE_BACK, args: [attempt, FILE] });
  },
};

const note = defineTask({
  type: "server:note", // noun:verb; belongs to one plugin
  version: 1, // of the input; `migrate` takes what an older version stored
  input: z.strictObject({ server: z.string(), text: z.string().max(200) }),
  value: z.strictObject({ server: z.string() }),
  request: (server: string, text: string) => ({ server, text }),
  title: ({ server }) => `note on ${server}`,
  subject: ({ server }) => ({ server }),
  async plan({ inventory }, { server: name, text }) {
    const server = inventory.server(name);
    const title = `note on ${server.name}`;
    const step = { kind: "run", title, server, phase: "prepare", when: "always" } as const;
    return {
      title,
      about: [`server/${server.id}`],
      steps: [{ ...step, operation: "example-note", input: { text } }],
      value: { server: server.name },
    };
  },
});

const noteOnAll = defineTask({
  type: "server:note-all",
  version: 1,
  input: z.strictObject({ text: z.string().max(200) }),
  value: childrenReport.extend({ text: z.string() }), // core adds the report; the rest is the task's own
  request: (text: string) => ({ text }),
  title: () => "note on all servers",
  subject: () => ({}),
  async plan({ inventory }, { text }) {
    const requests = inventory.servers.map(({ name }) => note.request(name, text));
    return {
      title: `note on ${requests.length} servers`,
      about: [],
      steps: [],
      children: { requests, concurrency: 10 },
      value: { text },
    };
  },
});

/** Writes a line into a log on a server: a kind of task that a package brings. */
export const notes: Plugin = {
  name: "hostwright-example-notes",
  contract: CONTRACT,
  tasks: [note, noteOnAll],
  operations: [noteOperation],
};

export const noteOn = note.request; // await hw.run(noteOn("web1", "hello")) gives { server: string }
export const noteOnEach = noteOnAll.request;
