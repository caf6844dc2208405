/** What bundle.ts bundles. */
export { allControllers } from "./controllers.ts";
export { simulate } from "./simulate.ts";
