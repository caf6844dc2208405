/** Placeholder for roles: everybody who is known may do everything, others may see that the server is well. */
import { type Authorizer, type Decision, mastersGroup } from "./authorizer.ts";

const publicPaths = new Set(["/healthz", "/livez", "/readyz", "/version"]);
const allow: Decision = { verdict: "allow", reason: "" };
const noOpinion: Decision = { verdict: "none", reason: "" };

export const knownMay: Authorizer = {
	async authorize({ user, path, resource }) {
		if (!user.groups.includes("system:unauthenticated")) return allow;
		return resource === undefined && publicPaths.has(`/${path.split("/")[1]}`) ? allow : noOpinion;
	},
	async rulesFor({ groups }) {
		if (groups.includes(mastersGroup)) return { resourceRules: [], nonResourceRules: [], incomplete: false };
		return {
			resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
			nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
			incomplete: false,
		};
	},
};
