import type { Change, Declared, Target } from "@hostwright/core/plugin";
import { mysql } from "@hostwright/service-mysql";
import { postgres } from "@hostwright/service-postgres";
import { withRole, withTypes, type AnyService, type Mutant } from "./mutant.ts";

type DatabaseMutant = Mutant<AnyService>;
type State = Readonly<Record<string, unknown>>;

const mapped = (declared: readonly Declared[], type: string, change: (spec: State) => State): readonly Declared[] =>
  declared.map((one) => (one.type === type ? { ...one, spec: change(one.spec as State) } : one));

const RESOURCE = {
  applied: "what was applied reads as it was wanted",
  undone: "an undo of what was made",
  changed: "an undo of a change",
  removed: "a removal takes everything",
  drift: "what somebody else changed",
  compared: "what is not as it was read",
  counted: "many keys are read",
  cut: "cut off at any boundary",
  fenced: "who has lost the lease",
  secret: "secrets are in no argument",
} as const;

/** Broken in ways that every resource type could be, shown on MariaDB. */
export const mysqlMutants: readonly DatabaseMutant[] = [
  {
    name: "an identity that forgets the rights",
    caughtBy: RESOURCE.drift,
    plugin: withTypes(mysql, () => ({ identity: ({ user, host }: State) => ({ user, host }) }), "mysql-account"),
  },
  {
    name: "an identity that is never the same",
    caughtBy: RESOURCE.applied,
    plugin: withTypes(mysql, () => ({ identity: () => crypto.randomUUID() })),
  },
  {
    name: "an apply that sets whatever it finds",
    caughtBy: RESOURCE.compared,
    plugin: withTypes(mysql, (type) => ({
      apply: async (target: Target, changes: readonly Change[]) => {
        const present = await type.read(
          target,
          changes.map(({ key }) => key),
          { contents: true },
        );
        await type.apply(
          target,
          changes.map((one) => ({ ...one, before: (present.get(one.key) as unknown) ?? null })),
        );
      },
    })),
  },
  {
    name: "an apply that removes nothing",
    caughtBy: RESOURCE.undone,
    plugin: withTypes(mysql, (type) => ({
      apply: async (target: Target, changes: readonly Change[]) =>
        type.apply(
          target,
          changes.filter(({ after }) => after !== null),
        ),
    })),
  },
  {
    name: "a removal that leaves the accounts",
    caughtBy: RESOURCE.removed,
    plugin: withTypes(
      mysql,
      (type) => ({
        apply: async (target: Target, changes: readonly Change[]) =>
          type.apply(
            target,
            changes.filter(({ after }) => after !== null),
          ),
      }),
      "mysql-account",
    ),
  },
  {
    name: "an apply that makes the first change only",
    caughtBy: RESOURCE.applied,
    plugin: withTypes(mysql, (type) => ({
      apply: async (target: Target, changes: readonly Change[]) => type.apply(target, changes.slice(0, 1)),
    })),
  },
  {
    name: "an apply that changes nothing that is there",
    caughtBy: RESOURCE.changed,
    plugin: withTypes(mysql, (type) => ({
      apply: async (target: Target, changes: readonly Change[]) =>
        type.apply(
          target,
          changes.filter(({ before, after }) => before === null || after === null),
        ),
    })),
  },
  {
    name: "a read of one key after another",
    caughtBy: RESOURCE.counted,
    plugin: withTypes(mysql, (type) => ({
      read: async (target: Target, keys: readonly string[], options: { readonly contents: boolean }) => {
        const found = new Map<string, unknown>();
        for (const key of keys)
          for (const [name, state] of await type.read(target, [key], options)) found.set(name, state);
        return found;
      },
    })),
  },
  {
    name: "an apply that does not ask for the lease",
    caughtBy: RESOURCE.fenced,
    plugin: withTypes(mysql, (type) => ({
      apply: async (target: Target, changes: readonly Change[]) =>
        type.apply({ ...target, mutate: async (script) => target.server.script(script) }, changes),
    })),
  },
  {
    name: "an apply that loses the code of an error",
    caughtBy: RESOURCE.cut,
    plugin: withTypes(mysql, (type) => ({
      apply: async (target: Target, changes: readonly Change[]) =>
        type.apply(target, changes).catch((error: unknown) => {
          throw new Error("something went wrong", { cause: error });
        }),
    })),
  },
  {
    name: "a password on a command line",
    caughtBy: RESOURCE.secret,
    plugin: withTypes(mysql, (type) => ({
      apply: async (target: Target, changes: readonly Change[]) => {
        const password = target.resolve({ ref: "secret", id: "site/x/db-password", label: "" });
        await target.server.run({ argv: ["true", `--password=${password}`] });
        await type.apply(target, changes);
      },
    })),
  },
  {
    name: "a password in a diff",
    caughtBy: RESOURCE.secret,
    plugin: withTypes(
      mysql,
      () => ({
        showSpec: ({ password }: { readonly password: { readonly id: string } }) =>
          `mark-of-a-secret-7f3a-${password.id}`,
      }),
      "mysql-account",
    ),
  },
  {
    name: "a password without what cannot be sent",
    caughtBy: "any password arrives as it is",
    plugin: withTypes(
      mysql,
      (type) => ({
        desired: (spec: unknown, resolve: Target["resolve"]) =>
          type.desired(spec, (reference) => resolve(reference).replaceAll("\0", "") || "x") as unknown,
      }),
      "mysql-account",
    ),
  },
  {
    name: "an account for every web head",
    caughtBy: "a declared web head logs in",
    plugin: withRole(mysql, "db", (role) => ({
      site: (request, server) => {
        const near = server.addresses[0]?.replace(/\d+$/, "11") ?? "";
        return role.site({ ...request, webHeads: [...request.webHeads, near] }, server);
      },
    })),
  },
];

/** What a role for sites could get wrong, shown on PostgreSQL. */
export const postgresMutants: readonly DatabaseMutant[] = [
  {
    // Each of the two alone keeps the others out.
    name: "a database that is open to every role, and no rule that keeps them out",
    caughtBy: "a site reaches its own database only",
    plugin: withTypes(
      withRole(postgres, "db", (role) => ({
        site: (request, server) =>
          mapped(role.site(request, server), "postgres-access", ({ path, content }) => ({
            path,
            content: String(content).replaceAll(/^.* reject\n/gm, ""),
          })),
      })),
      (type) => ({
        desired: (spec: unknown, resolve: Target["resolve"]) => ({
          ...(type.desired(spec, resolve) as object),
          grants: ["CONNECT PUBLIC"],
        }),
      }),
      "postgres-database",
    ),
  },
  {
    name: "rules that ask web heads for no password",
    caughtBy: "no other password is taken",
    plugin: withRole(postgres, "db", (role) => ({
      site: (request, server) =>
        mapped(role.site(request, server), "postgres-access", ({ path, content }) => ({
          path,
          content: String(content).replaceAll("scram-sha-256", "trust"),
        })),
    })),
  },
  {
    name: "rules for every address",
    caughtBy: "a declared web head logs in",
    plugin: withRole(postgres, "db", (role) => ({
      site: (request, server) =>
        mapped(role.site(request, server), "postgres-access", ({ path, content }) => ({
          path,
          content: String(content).replaceAll(/\S+\/32/g, "0.0.0.0/0"),
        })),
    })),
  },
  {
    name: "a role that may make databases",
    caughtBy: "a site reaches its own database only",
    plugin: withTypes(
      postgres,
      (type) => ({
        desired: (spec: unknown, resolve: Target["resolve"]) => ({
          ...(type.desired(spec, resolve) as object),
          attributes: ["CREATEDB", "INHERIT", "LOGIN"],
        }),
      }),
      "postgres-account",
    ),
  },
  {
    name: "a server that does not tell what extensions it has",
    caughtBy: "what a database takes and needs is told",
    plugin: withRole(postgres, "db", ({ moving }) =>
      moving === undefined
        ? {}
        : {
            moving: {
              ...moving,
              offers: (server) => moving.offers(server).map((word) => word.replaceAll("'extension ' || a.name", "''")),
            },
          },
    ),
  },
  {
    name: "a hostile name that is made a good one",
    caughtBy: "a name that could mean something else",
    plugin: withRole(postgres, "db", (role) => ({
      site: (request, server) =>
        role.site({ ...request, siteId: `s${request.siteId.replaceAll(/\W/g, "")}`.slice(0, 20) }, server),
    })),
  },
];

/** Judged without a host. */
export const databaseMutants: readonly DatabaseMutant[] = [
  {
    name: "a binding to a server that nobody else can reach",
    caughtBy: "a web head elsewhere is refused",
    plugin: withRole(mysql, "db", (role) => ({
      binding: (request, server, from) => ({ ...role.binding(request, server, null), host: from ?? "localhost" }),
    })),
  },
  {
    name: "a binding with another password",
    caughtBy: "the binding leads to",
    plugin: withRole(postgres, "db", (role) => ({
      binding: (request, server, from) => ({
        ...role.binding(request, server, from),
        password: { ref: "secret", id: "site/other/db-password", label: "" },
      }),
    })),
  },
  {
    name: "text that differs from call to call",
    caughtBy: "the same view renders the same text",
    plugin: withRole(postgres, "db", (role) => ({
      server: (view) => [...role.server(view), { type: "file", spec: { content: `# made at ${performance.now()}` } }],
    })),
  },
];
