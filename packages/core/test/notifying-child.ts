import { Events } from "../src/engine/events.ts";
import { secret } from "../src/model/secret.ts";
import { Notifying } from "../src/notify/notifying.ts";
import { webhook } from "../src/notify/webhook.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite-store.ts";

/** A process that does nothing but deliver, until it is killed: `node notifying-child.ts <folder> <url> <secret>`. */
const [directory = "", url = "", whsec = ""] = process.argv.slice(2);
const store = await openSqliteStore({ directory });
new Notifying(store, new Events(store.events), [webhook({ url, secret: secret(whsec) })]).work();
console.log("ready");
