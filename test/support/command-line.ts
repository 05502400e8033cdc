import { randomBytes } from "node:crypto";

/** The option that each of these commands has. */
export const SEED = { type: "string", default: randomBytes(4).toString("hex") } as const;
export const JSON_TOO = { type: "boolean", default: false } as const;

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Reads whole numbers above zero. @throws the usage of the command */
export function countsOf(usage: string): (text: string) => number {
  return (text) => {
    if (!/^[1-9]\d*$/.test(text)) throw new Error(usage);
    return Number(text);
  };
}

/** Runs a command with the process's arguments: what it throws is shown, and is its failure. */
export async function runCommand(command: (args: string[]) => Promise<void>): Promise<void> {
  try {
    await command(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  }
}
