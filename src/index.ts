export { version } from "./cluster/version.ts";
