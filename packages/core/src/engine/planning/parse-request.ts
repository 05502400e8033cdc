import type { AnyTaskType, PlainRequest, TaskSubject } from "../../contracts/task.ts";
import { HostwrightError, isHostwrightError } from "../../errors/hostwright-error.ts";
import { mapSlowly } from "../../model/breathe.ts";
import { parseInput } from "../../model/parse.ts";

/** The task types that are loaded. */
export interface TaskTypes {
  readonly tasks: ReadonlyMap<string, AnyTaskType>;
}

/** A request that its task type has parsed. */
export interface ParsedRequest {
  readonly type: AnyTaskType;
  /** As the type takes it. */
  readonly input: unknown;
  /** The same as it is stored. */
  readonly request: PlainRequest;
}

/** Reads a request by its task type. @throws HW_INPUT_INVALID */
export function parseRequest(parts: TaskTypes, request: PlainRequest): ParsedRequest {
  const type = parts.tasks.get(request?.type);
  if (type === undefined) {
    throw new HostwrightError(
      "HW_INPUT_INVALID",
      `There is no task type "${request?.type?.slice(0, 60)}". Nothing was changed.`,
      {
        remedy: `Use one of: ${[...parts.tasks.keys()].join(", ")}.`,
      },
    );
  }
  const input = parseInput(type.input, inputOf(type, request), type.type);
  return { type, input, request: { ...(input as object), ...versionOf(type) } };
}

function versionOf({ type, version }: AnyTaskType): PlainRequest {
  return version === 1 ? { type } : ({ type, version } as PlainRequest);
}

/** Of whatever version it was stored by. */
function inputOf(type: AnyTaskType, request: PlainRequest): unknown {
  const { type: _type, version = 1, ...given } = request as PlainRequest & { readonly version?: unknown };
  if (version === type.version) return given;
  if (Number.isInteger(version) && Number(version) >= 1 && Number(version) < type.version)
    return type.migrate?.(given, Number(version)) ?? given;
  throw new HostwrightError(
    "HW_INPUT_INVALID",
    `The request of ${type.type} is of version ${JSON.stringify(version)}, the loaded one takes up to ${type.version}. Nothing was changed.`,
    { remedy: "Load the version of the package that made the request, or a later one." },
  );
}

/** What a person calls a request. One of a type that is not loaded, of an older form or without words goes by its type. */
export function titleOf(parts: TaskTypes, request: PlainRequest): string {
  try {
    const { type, input } = parseRequest(parts, request);
    return type.title(input, (other) => titleOf(parts, other));
  } catch {
    return request.type;
  }
}

/** What a stored request that no loaded type takes is about, too, as far as its names say so. */
export function subjectOf(parts: TaskTypes, asked: PlainRequest): TaskSubject {
  try {
    const { type, input } = parseRequest(parts, asked);
    return type.subject(input);
  } catch {
    const { domain, site = domain, server, platform, alias } = asked as unknown as Readonly<Record<string, unknown>>;
    const names = Object.entries({ site, server, platform, alias });
    return Object.fromEntries(names.filter(([, name]) => typeof name === "string"));
  }
}

/** As `parseRequest`, of each. @throws HW_INPUT_INVALID naming the first that is none by its place, where there are several */
export async function parseRequests(
  parts: TaskTypes,
  requests: readonly PlainRequest[],
): Promise<readonly ParsedRequest[]> {
  return mapSlowly(requests.entries(), ([index, request]) => {
    try {
      return parseRequest(parts, request);
    } catch (error) {
      if (!isHostwrightError(error) || requests.length === 1) throw error;
      const { code, message, remedy, data } = error;
      throw new HostwrightError(code, `Request ${index + 1} of ${requests.length}: ${message}`, { remedy, data });
    }
  });
}

/** The requests that one stands for; null where it stands for itself, or nobody here knows. */
export function stoodFor(parts: TaskTypes, request: PlainRequest): readonly PlainRequest[] | null {
  try {
    const { type, input } = parseRequest(parts, request);
    return type.standsFor?.(input) ?? null;
  } catch {
    return null;
  }
}
