import type { Query, ReadRows, TableDefinition } from "../../contracts/store/tables.ts";

const AT_ONCE = 1_000;

/** What `list` gives, a page at a time, for who may have enough of it; `next` is where a page ends, in the columns of `after`. */
export async function* pagesOf<Row extends object, Key extends keyof Row, Column extends keyof Row>(
  rows: ReadRows,
  table: TableDefinition<Row, Key>,
  query: Omit<Query<Row, Column>, "limit">,
  next: (row: Pick<Row, Column>) => Partial<Row>,
  atOnce: number = AT_ONCE,
): AsyncGenerator<readonly Pick<Row, Column>[]> {
  let { after } = query;
  for (;;) {
    const page = await rows.list(table, { ...query, ...(after === undefined ? {} : { after }), limit: atOnce });
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < atOnce) return;
    after = next(last);
  }
}
