import type { Notification } from "../contracts/notifier.ts";
import type { EndedTask } from "../contracts/store.ts";

const LONGEST_MESSAGE = 2000;
const LONGEST_WORD = 300;
const MOST_VALUES = 20;
const MOST_RESIDUE = 20;

/**
 * What is told of an ended task: of its outcome only what is named here. Pure; the same task gives the same. `epoch` is
 * that of the store: one that was restored gives numbers once more.
 */
export function notificationOf(task: EndedTask, epoch: number): Notification {
  const outcome = record(task.outcome);
  const residue = Array.isArray(outcome["residue"]) ? outcome["residue"].map(record) : [];
  const state = task.state as Notification["data"]["state"];
  return {
    id: `msg_${task.id}_${epoch}_${task.ended}`.replaceAll(/\W/g, "_"),
    type: state === "succeeded" ? "task.succeeded" : "task.failed",
    timestamp: task.finishedAt ?? task.createdAt,
    data: {
      task: task.id,
      type: task.type,
      about: aboutOf(task.request),
      actor: word(task.actor),
      state,
      createdAt: task.createdAt,
      error: errorOf(outcome["error"]),
      residue: residue.slice(0, MOST_RESIDUE).map(({ server, type, key, reason }) => ({
        server: word(server),
        type: word(type),
        key: word(key),
        reason: word(reason),
      })),
      residueCount: residue.length,
      value: plainValues(outcome["value"]),
    },
  };
}

function aboutOf(request: unknown): string | null {
  const { request: inner, domain, site, server, platform, alias } = record(request);
  if (inner !== undefined) return aboutOf(inner);
  const name = domain ?? site ?? server ?? platform ?? alias;
  return typeof name === "string" ? word(name) : null;
}

function errorOf(error: unknown): Notification["data"]["error"] {
  if (error === null || error === undefined) return null;
  const { code, message, remedy, server } = record(error);
  return {
    code: word(code),
    message: word(message, LONGEST_MESSAGE),
    remedy: word(remedy, LONGEST_MESSAGE),
    server: typeof server === "string" ? word(server) : null,
  };
}

/** References to secrets are objects, and longer texts are for those who ask for the outcome. */
function plainValues(value: unknown): Notification["data"]["value"] {
  const plain = Object.entries(record(value)).filter(
    (entry): entry is [string, string | number | boolean] =>
      ["string", "number", "boolean"].includes(typeof entry[1]) && String(entry[1]).length <= LONGEST_WORD,
  );
  return Object.fromEntries(plain.slice(0, MOST_VALUES).map(([key, inner]) => [word(key), inner]));
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function word(value: unknown, longest: number = LONGEST_WORD): string {
  const text = typeof value === "string" ? value : "";
  return text.length <= longest ? text : `${text.slice(0, longest - 3).toWellFormed()}...`;
}
