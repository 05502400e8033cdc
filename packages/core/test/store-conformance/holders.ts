import { processHolder } from "../../src/store/holder.ts";

/** Two processes that live as long as the test does. */
export const ME: string = processHolder();
export const OTHER: string = processHolder(1);
/** One that is gone from this machine, whatever other machines the store is for. */
export const GONE: string = processHolder().replace(/^\d+:\d+/, "1:1");
