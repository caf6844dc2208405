/** For the command line, which does not see the API server's own parts. */
export { parsePlugins } from "../../api/admission/plugins.ts";
