/** What the tables of store.db owe each other, beside what SQLite itself looks after: each gives in words what does not hold. */
export const CONSISTENCY: readonly string[] = [
  ...["journal", "commits", "task_plans"].map(
    (table) => `SELECT count(*) || ' rows of ${table} are of the task ' || task || ', which is not there' FROM ${table}
      WHERE task NOT IN (SELECT id FROM tasks) GROUP BY task`,
  ),
  `SELECT 'the ' || kind || ' ' || id || ' is at no version' FROM records WHERE version < 1`,
  `SELECT 'the ' || kind || ' ' || id || ' does not hold its own name ' || name FROM records
    WHERE id IS NOT (SELECT id FROM claims WHERE claims.kind = records.kind AND claims.name = records.name)`,
  `SELECT 'the name ' || name || ' is held by the ' || kind || ' ' || id || ', which is not there' FROM claims
    WHERE NOT EXISTS (SELECT 1 FROM records WHERE records.kind = claims.kind AND records.id = claims.id)`,
  `SELECT 'the ' || kind || ' ' || id || ', which is not there, refers to the ' || field || ' ' || target FROM uses
    WHERE NOT EXISTS (SELECT 1 FROM records WHERE records.kind = uses.kind AND records.id = uses.id)`,
  ...(
    [
      ["records", "value", "kind || '/' || id"],
      ["tasks", "request", "id"],
      ["tasks", "outcome", "id"],
      ["task_plans", "plan", "task"],
      ["journal", "output", "task"],
    ] as const
  ).map(
    ([table, column, id]) =>
      `SELECT '${column} in ${table}, of ' || ${id} || ', is no JSON' FROM ${table} WHERE NOT json_valid(${column})`,
  ),
];
