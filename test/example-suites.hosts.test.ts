// What people start from passes the suites that they will run.
import "../examples/plugins/http-conformance.ts";
import "../examples/plugins/php-conformance.ts";
import "../examples/plugins/resource-conformance.ts";
