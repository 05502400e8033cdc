import { createHostwright, prepare } from "@hostwright/core";
import { exampleDns } from "../../examples/plugins/dns.ts";

/** A process of its own that prepares the server `dns` of a state folder. */
const [stateDir = ""] = process.argv.slice(2);
await using hw = await createHostwright({ stateDir, plugins: [exampleDns] });
await hw.run(prepare("dns"));
