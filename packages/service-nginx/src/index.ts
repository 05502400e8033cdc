export { nginx } from "./plugin.ts";
