/** `npm run test:faults` tries everything; else a part that takes a few minutes. */
export const FULL: boolean = process.env["HOSTWRIGHT_FAULTS"] === "full";
