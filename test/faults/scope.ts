/** `npm run test:faults` and `npm run test:full` try everything; else a part that takes a few minutes. */
export const FULL: boolean = process.env["HOSTWRIGHT_TEST_FULL"] === "1";
