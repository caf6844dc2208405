/** Placeholder until agents have an identity for each of their parts: nodes may do everything. */
import type { Authorizer, Decision, SubjectRules } from "./authorizer.ts";

const allow: Decision = { verdict: "allow", reason: "" };
const noOpinion: Decision = { verdict: "none", reason: "" };
const nothing: SubjectRules = { resourceRules: [], nonResourceRules: [], incomplete: false };

export const nodesMay: Authorizer = {
	async authorize({ user }) {
		return user.groups.includes("system:nodes") ? allow : noOpinion;
	},
	async rulesFor() {
		return nothing;
	},
};
