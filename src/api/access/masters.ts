/** `system:masters` may do everything, so that nobody can lock an administrator out by roles. */
import { type Authorizer, type Decision, mastersGroup, type SubjectRules } from "./authorizer.ts";

const allow: Decision = { verdict: "allow", reason: "" };
const noOpinion: Decision = { verdict: "none", reason: "" };
const everything: SubjectRules = {
	resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
	nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
	incomplete: false,
};
const nothing: SubjectRules = { resourceRules: [], nonResourceRules: [], incomplete: false };

export const masters: Authorizer = {
	async authorize({ user }) {
		return user.groups.includes(mastersGroup) ? allow : noOpinion;
	},
	async rulesFor({ groups }) {
		return groups.includes(mastersGroup) ? everything : nothing;
	},
};
