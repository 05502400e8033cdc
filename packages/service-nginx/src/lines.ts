export type Lines = readonly string[];

export function block(head: string, body: Lines): Lines {
  return [`${head} {`, ...body.map((line) => (line === "" ? "" : `    ${line}`)), "}"];
}

export function locations(regexes: readonly string[], body: Lines): Lines {
  return regexes.flatMap((regex) => block(`location ~ ${regex}`, body));
}
