import { expect, test } from "vitest";
import { sampleSite } from "../../../test/applications/sample-site.ts";
import { PhpFpmOptions } from "./options.ts";
import { renderPool } from "./pool.ts";
import { renderServiceUnit, renderSocketUnit } from "./units.ts";

const options = PhpFpmOptions.parse({});

test("socket, environment and pool name the same path, so that php-fpm takes the socket over", () => {
  const view = sampleSite();
  const path = "/run/hostwright-php/s1aaaaaaaa.sock";
  expect(renderSocketUnit(view)).toContain(`\nListenStream=${path}\n`);
  expect(renderServiceUnit(view, options)).toContain(`\nEnvironment=FPM_SOCKETS=${path}=3\n`);
  expect(renderPool(view, options)).toContain(`\nlisten = ${path}\n`);
});

test("a changed pool changes the unit's file, and nothing else does", () => {
  const view = sampleSite();
  const before = renderServiceUnit(view, options);
  expect(renderServiceUnit(sampleSite({ limits: { ...view.limits, requestSeconds: 61 } }), options)).not.toBe(before);
  expect(renderServiceUnit(sampleSite({ title: "Other", aliases: ["x.example"], domain: "y.example" }), options)).toBe(
    before,
  );
});

test("one upload limit and one time-out reach every directive", () => {
  const view = sampleSite();
  const pool = renderPool(sampleSite({ limits: { ...view.limits, uploadMegabytes: 77, requestSeconds: 42 } }), options);
  expect(pool).toContain('php_admin_value[upload_max_filesize] = "77M"');
  expect(pool).toContain('php_admin_value[post_max_size] = "85M"');
  expect(pool).toContain("request_terminate_timeout = 42s");
  expect(pool).toContain("php_value[max_execution_time] = 42");
});

test("uploads, sessions and temporary files go into the site's own folder", () => {
  const pool = renderPool(sampleSite(), options);
  for (const name of ["admin_value[sys_temp_dir]", "admin_value[upload_tmp_dir]", "value[session.save_path]"]) {
    expect(pool).toContain(`php_${name} = "/srv/sites/s1aaaaaaaa/tmp"`);
  }
});

test("a path that cannot be written safely is refused, not rendered", () => {
  const { paths } = sampleSite();
  expect(() => renderServiceUnit(sampleSite({ paths: { ...paths, tmp: '/tmp" x' } }), options)).toThrow(
    expect.objectContaining({ code: "HW_QUOTE_REFUSED" }),
  );
});
