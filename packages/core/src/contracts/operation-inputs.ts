import type { Claim } from "./facts.ts";

/** Of the operation `take-over`, by which one web server of a server follows another. */
export interface TakeOverInput {
  /** Type of the http service that serves. */
  readonly from: string;
  /** Type of the one that is to serve; its entries are there. */
  readonly to: string;
  /** On which both listen. */
  readonly port: number;
}

/** Of the operation `take-server`, by which a server passes from one installation to another. */
export interface TakeServerInput {
  /** Whose server it is until then. */
  readonly former: Claim;
  /** This installation's claim; its time is the plan's. */
  readonly next: Claim;
}
