import { ERROR_CODES, type ErrorCode } from "./codes.ts";

export interface ErrorDetails {
  readonly cause?: unknown;
  /** May the same thing succeed if it is simply tried again? Default false. */
  readonly retryable?: boolean;
  /** Name of the server on which it happened. */
  readonly server?: string;
  /** What to do next; default: the remedy that the code's table gives. */
  readonly remedy?: string;
  /** Bounded output of the command that failed, already free of secrets and control characters. */
  readonly output?: string;
  /** Further machine-readable facts: field, file, limit ... */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** The one error class: a stable code, what happened, where, and what to do next. */
export class HostwrightError extends Error {
  override readonly name = "HostwrightError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly server: string | undefined;
  readonly remedy: string;
  readonly output: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = details.retryable ?? false;
    this.server = details.server;
    this.remedy = details.remedy ?? ERROR_CODES[code];
    this.output = details.output;
    this.data = details.data ?? {};
  }

  toJSON(): Record<string, unknown> {
    return {
      code: this.code,
      message: this.message,
      server: this.server,
      remedy: this.remedy,
      retryable: this.retryable,
      output: this.output,
      data: this.data,
    };
  }
}

/** Whatever was thrown, as it is stored with a task. */
export function errorJson(error: unknown): Record<string, unknown> {
  if (isHostwrightError(error)) return error.toJSON();
  const message = error instanceof Error ? error.message : String(error);
  return new HostwrightError("HW_INTERNAL", message, { cause: error }).toJSON();
}

/** The error of which that is the `toJSON()`, as it is stored with a task. */
export function errorFromJson(json: Readonly<Record<string, unknown>>): HostwrightError {
  const { code, message, server, remedy, retryable, output, data } = json;
  const text = (name: string, value: unknown): object => (typeof value === "string" ? { [name]: value } : {});
  return new HostwrightError((code ?? "HW_INTERNAL") as ErrorCode, String(message), {
    ...text("server", server),
    ...text("remedy", remedy),
    ...text("output", output),
    retryable: retryable === true,
    data: (data ?? {}) as Readonly<Record<string, unknown>>,
  });
}

/** Recognises the error also when it comes from a second copy of core (a plugin's own dependency tree). */
export function isHostwrightError(value: unknown): value is HostwrightError {
  return (
    value instanceof Error &&
    value.name === "HostwrightError" &&
    "code" in value &&
    typeof value.code === "string" &&
    value.code in ERROR_CODES
  );
}

/** What a plugin or Node threw, as an error of ours; one of ours as it is. */
export function toHostwrightError(cause: unknown): HostwrightError {
  if (isHostwrightError(cause)) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HostwrightError("HW_INTERNAL", `${why.slice(0, 300)} Nothing was changed.`, { cause });
}

/** Another worker has the task now: it is not this one's to end, to undo or to tell of. */
export function isLeaseLost(value: unknown): boolean {
  return isHostwrightError(value) && value.code === "HW_LEASE_LOST";
}
