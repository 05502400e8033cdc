import type { Publication } from "../../contracts/publication.ts";
import type { ResourceFilter } from "../../contracts/steps.ts";
import type { RegisteredResource } from "../../contracts/store.ts";

type Address = Pick<RegisteredResource, "type" | "key">;

/** Files that a publication puts in force, as the register has them. */
export function entriesOf(publication: Publication): ResourceFilter {
  return { types: ["file"], below: folderOf(publication) };
}

export function isEntryOf(publication: Publication, { type, key }: Address): boolean {
  return type === "file" && key.startsWith(`${folderOf(publication)}/`);
}

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
