/** `system:masters` may do everything, so that roles cannot lock out an administrator. */
import type { User } from "../../core/exchange.ts";
import { type Authorizer, type Decision, mastersGroup, type SubjectRules } from "../request/authorizer.ts";

const allow: Decision = { verdict: "allow", reason: "" };
const noOpinion: Decision = { verdict: "none", reason: "" };
const nothing: SubjectRules = { resourceRules: [], nonResourceRules: [], incomplete: false };

/** The server itself. */
export const apiServerUser: User = { name: "system:apiserver", groups: [mastersGroup, "system:authenticated"] };

/** Upstream's mode AlwaysAllow. */
export const everything: Authorizer = {
	authorize: () => allow,
	async rulesFor() {
		return {
			resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
			nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
			incomplete: false,
		};
	},
};

export const masters: Authorizer = {
	authorize({ user }) {
		return user.groups.includes(mastersGroup) ? allow : noOpinion;
	},
	/** The group is bound to the role cluster-admin, which has the rules. */
	async rulesFor() {
		return nothing;
	},
};
