// What authors read as a test of pure functions is one.
import "../../examples/plugins/http-quick.ts";
