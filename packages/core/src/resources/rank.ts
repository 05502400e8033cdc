/** Ranks of the types of core; a plugin's types fit between. */
export const RANK = {
  package: 5,
  user: 10,
  tree: 20,
  directory: 30,
  link: 35,
  file: 40,
  database: 50,
  account: 60,
  unit: 80,
} as const;
