import type { SiteRecord } from "@hostwright/core";
import { describe, expect, test } from "vitest";
import { MARK, REACHED, type Attack } from "./attack.ts";
import { homeOf } from "./fleet.ts";
import { all, page, statuses } from "./page.ts";
import type { Subject } from "./site-suite.ts";

const REFUSED: unknown = expect.stringMatching(/^40[34]$/);

/** What a web server gives out by links that a site's PHP has made. Each site has a file with the mark in its uploads. */
export function linkSuite(subject: () => Subject, attack: () => Attack): void {
  const uploads = (site: SiteRecord): string => `${homeOf(site)}/public${subject().app.uploads}`;
  const php: Attack["php"] = async (expression) => attack().php(expression);
  const answers = async (paths: readonly string[], mark: string): Promise<Record<string, string>> =>
    statuses(subject().fleet.web, attack().own.domain, paths, mark);

  describe("links out of the folder of uploads", () => {
    test("to its own files are followed, to a neighbour's or the system's are not", async () => {
      const { app } = subject();
      const { own, other } = attack();
      const links = {
        "own.txt": `${uploads(own)}/mark.txt`,
        "relative.txt": "mark.txt",
        "neighbour.txt": `${uploads(other)}/mark.txt`,
        "climbing.txt": `${"../".repeat(app.uploads.split("/").length)}../${other.id}/public${app.uploads}/mark.txt`,
        "neighbours-settings.txt": `${homeOf(other)}/conf/${app.settings}`,
        "neighbours-private.txt": `${homeOf(other)}/private/mark.txt`,
        "passwd.txt": "/etc/passwd",
        "own-settings.txt": `${homeOf(own)}/conf/${app.settings}`,
        "own-private.txt": `${homeOf(own)}/private/mark.txt`,
        "proc.txt": "/proc/self/environ",
      };
      for (const [name, target] of Object.entries(links))
        expect(await php(`symlink('${target}', '${uploads(own)}/${name}')`)).toBe(true);
      const paths = Object.keys(links).map((name) => `${app.uploads}/${name}`);
      const [followed, refused] = [paths.slice(0, 2), paths.slice(2)];
      expect(await answers(followed, MARK)).toEqual(all(followed, "200 LEAKS"));
      for (const mark of [MARK, "<?php", "root:x:0"])
        expect(await answers(refused, mark)).toEqual(all(refused, REFUSED));
    });

    test("by a folder are not followed either", async () => {
      const { app } = subject();
      const { own, other } = attack();
      expect(await php(`symlink('${uploads(own)}', '${uploads(own)}/self')`)).toBe(true);
      expect(await php(`symlink('${uploads(other)}', '${uploads(own)}/folder')`)).toBe(true);
      expect(await php(`symlink('/', '${uploads(own)}/root')`)).toBe(true);
      const self = [`${app.uploads}/self/mark.txt`];
      expect(await answers(self, MARK)).toEqual(all(self, "200 LEAKS"));
      const paths = ["folder/mark.txt", "root/etc/passwd", `root${uploads(other)}/mark.txt`].map(
        (path) => `${app.uploads}/${path}`,
      );
      for (const mark of [MARK, "root:x:0"]) expect(await answers(paths, mark)).toEqual(all(paths, REFUSED));
    });

    test("instead of the folder itself lead nowhere", async () => {
      const { fleet, app } = subject();
      const { own, other } = attack();
      const [folder, kept] = [uploads(own), `${uploads(own)}.old`];
      const moved = `rename('${folder}', '${kept}') && symlink('${uploads(other)}', '${folder}')`;
      // The folder that Hostwright made for the site cannot be moved; one that the site has made in it can.
      const movable = !app.rules.ownPaths.some(({ prefix }) => prefix === `${app.uploads}/`);
      expect(await php(moved)).toBe(movable);
      const path = `${app.uploads}/mark.txt`;
      if (movable) {
        expect(await answers([path], MARK)).toEqual({ [path]: REFUSED });
        expect(await php(`unlink('${folder}') && rename('${kept}', '${folder}')`)).toBe(true);
      }
      expect((await page(fleet.web, own.domain, path)).body).toBe(MARK);
    });

    test("made hard to a neighbour's file cannot be", async () => {
      const { own } = attack();
      const link = (site: SiteRecord): string =>
        `link('${uploads(site)}/mark.txt', '${uploads(own)}/hard-${site.id}.txt')`;
      expect(await attack().attempt(link)).toEqual(REACHED);
    });
  });
}
