import { processHolder } from "../../src/store/holder.ts";

/** Two processes that live as long as the test does. */
export const ME: string = processHolder();
export const OTHER: string = processHolder(1);
/** One of an earlier start of the machine. */
export const GONE = "1:1:00000000-0000-0000-0000-000000000000";
