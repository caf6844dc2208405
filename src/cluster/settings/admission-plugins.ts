/** For the command line, which does not load the API server's modules. */
export { parsePlugins } from "../../api/admission/plugins.ts";
