/** For people: `12.3 MB`. */
export function showBytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
