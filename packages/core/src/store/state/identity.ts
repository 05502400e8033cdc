import { randomUUID } from "node:crypto";
import type { ReadRows, Tables } from "../../contracts/store/tables.ts";
import { META } from "../tables/named.ts";

const INSTALLATION = { name: "installation" };
export const EPOCH = { name: "epoch" };
const KEY_CHECK = { name: "key-check" };

/** Of a new store it is drawn. */
export async function identityOf(tables: Tables): Promise<{ readonly installation: string; readonly epoch: number }> {
  const known = await tables.read(identityIn);
  if (known !== null) return known;
  return tables.transact(async (rows) => {
    const drawn = { installation: randomUUID(), epoch: 1 };
    const before = await identityIn(rows);
    if (before !== null) return before;
    await rows.put(META, [
      { ...INSTALLATION, value: drawn.installation },
      { ...EPOCH, value: String(drawn.epoch) },
    ]);
    return drawn;
  });
}

/** Null of a new store: nobody can have a cursor of its events. */
export async function identityIn(
  rows: ReadRows,
): Promise<{ readonly installation: string; readonly epoch: number } | null> {
  const [installation, epoch] = await rows.get(META, [INSTALLATION, EPOCH]);
  return installation === undefined ? null : { installation: installation.value, epoch: Number(epoch?.value) };
}

export async function keyCheckOf(tables: Tables): Promise<string | null> {
  return tables.read(keyCheckIn);
}

export async function setKeyCheck(tables: Tables, value: string, before: string | null): Promise<boolean> {
  return tables.transact(async (rows) => {
    if ((await keyCheckIn(rows)) !== before) return false;
    await rows.put(META, [{ ...KEY_CHECK, value }]);
    return true;
  });
}

async function keyCheckIn(rows: ReadRows): Promise<string | null> {
  return (await rows.get(META, [KEY_CHECK]))[0]?.value ?? null;
}
