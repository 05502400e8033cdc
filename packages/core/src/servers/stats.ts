import type { ServerStats } from "../model/server.ts";

/** The counts of a server while it works. */
export class Counts {
  connections = 0;
  roundTrips = 0;
  bytesSent = 0;
  bytesReceived = 0;

  snapshot(): ServerStats {
    const { connections, roundTrips, bytesSent, bytesReceived } = this;
    return { connections, roundTrips, bytesSent, bytesReceived };
  }
}
