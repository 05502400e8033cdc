/** What is asked about: a record by its name, or the one that a task request names. */
export interface PolicyObject {
  readonly kind: "server" | "platform" | "site" | "task";
  readonly name: string;
}
