// What people start from passes the suite that they will run.
import "../examples/plugins/http-conformance.ts";
