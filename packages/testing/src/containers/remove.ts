import { removeRun } from "./runs.ts";

// Run as a program by a process that ends and can no longer wait for it: removes the runs that it names.
for (const id of process.argv.slice(2)) await removeRun(id);
