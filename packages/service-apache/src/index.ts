export { apache } from "./plugin.ts";
