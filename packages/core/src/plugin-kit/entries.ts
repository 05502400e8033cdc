import type { Publication } from "../contracts/publication.ts";
import type { ResourceFilter } from "../contracts/steps.ts";
import type { ResourceHold } from "../contracts/store.ts";

/** Of a resource on its server. */
type Address = Pick<ResourceHold, "type" | "key">;

/** Files that a publication puts in force, as the register has them. */
export function entriesOf(publication: Publication): ResourceFilter {
  return { types: ["file"], below: folderOf(publication) };
}

/** Is it one of them? */
export function isEntryOf(publication: Publication, { type, key }: Address): boolean {
  return type === "file" && key.startsWith(`${folderOf(publication)}/`);
}

/** Of the entry of that name, which an `activate` step puts in force. */
export function entryAddress(publication: Publication, name: string): Address {
  return { type: "file", key: `${folderOf(publication)}/${name}` };
}

/** Of one that `isEntryOf` knows. */
export function entryName(publication: Publication, { key }: Address): string {
  return key.slice(folderOf(publication).length + 1);
}

function folderOf({ root }: Publication): string {
  return `${root}/entries`;
}
