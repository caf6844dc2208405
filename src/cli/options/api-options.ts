/** Options of `cox up` about who may come in and what is recorded, by the names that kube-apiserver has for them. */

import { resolve } from "node:path";
import type { Command } from "commander";
import type { ApiChanges, AuditSettings } from "../../cluster/settings/api-settings.ts";
import { messageOf } from "../../core/errors.ts";
import { wholeNumber } from "./whole-number.ts";

export interface ApiOptions {
	apiAudiences?: string;
	admissionControlConfigFile?: string;
	auditPolicy?: string;
	auditLog?: string;
	auditLogMaxsize?: number;
	auditLogMaxbackup?: number;
	auditLogMaxage?: number;
	oidc?: string;
	oidcIssuerUrl?: string;
	oidcClientId?: string;
	oidcUsernameClaim?: string;
	oidcUsernamePrefix?: string;
	oidcGroupsClaim?: string;
	oidcGroupsPrefix?: string;
	oidcRequiredClaim?: string[];
	oidcCaFile?: string;
}

/** What stays when nothing is said, and takes away what was said before. */
const none = "none";

export function withApiOptions(command: Command): Command {
	return command
		.option("--api-audiences <names>", "what tokens must be for, with commas between them; none: the issuer (default)")
		.option(
			"--audit-policy <file>",
			"record requests as this Policy says; none: nothing (default: as at the last start)",
		)
		.option(
			"--admission-control-config-file <file>",
			"an AdmissionConfiguration for PodSecurity; none: no more than namespaces' labels say (default: as at the last start)",
		)
		.option("--audit-log <file>", "where they are recorded (default: audit.log in the data directory)")
		.option("--audit-log-maxsize <megabytes>", "when the file is put aside (default: 100)", wholeNumber)
		.option("--audit-log-maxbackup <n>", "how many files put aside are kept (default: 10)", wholeNumber)
		.option("--audit-log-maxage <days>", "how long they are kept (default: for ever)", wholeNumber)
		.option("--oidc <file>", "take tokens as this AuthenticationConfiguration says; none: only our own")
		.option("--oidc-issuer-url <url>", "take tokens of this one issuer")
		.option("--oidc-client-id <id>", "what its tokens must be for")
		.option("--oidc-username-claim <claim>", "who a token names (default: sub)")
		.option("--oidc-username-prefix <prefix>", "before every name; -: nothing (default: the issuer's URL and #)")
		.option("--oidc-groups-claim <claim>", "the groups that a token names (default: none)")
		.option("--oidc-groups-prefix <prefix>", "before every group")
		.option("--oidc-required-claim <claim=value...>", "what a token must say besides")
		.option("--oidc-ca-file <file>", "certificates of who vouches for the issuer");
}

/** Takes the options out and returns what they change. @throws Error that names the option and what is wrong with it */
export async function apiChanges(options: ApiOptions): Promise<ApiChanges> {
	const changes: ApiChanges = {};
	if (options.apiAudiences !== undefined)
		changes.apiAudiences =
			options.apiAudiences === none ? null : options.apiAudiences.split(",").filter((name) => name !== "");
	const audit = await auditOf(options);
	if (audit !== undefined) changes.audit = audit;
	const admission = await admissionOf(options);
	if (admission !== undefined) changes.admission = admission;
	const oidc = await oidcOf(options);
	if (oidc !== undefined) changes.oidc = oidc;
	return changes;
}

async function auditOf(options: ApiOptions): Promise<AuditSettings | null | undefined> {
	const { auditPolicy, auditLog, auditLogMaxsize, auditLogMaxbackup, auditLogMaxage } = options;
	if (auditPolicy === none) return null;
	if (auditPolicy === undefined) {
		const orphan = [auditLog, auditLogMaxsize, auditLogMaxbackup, auditLogMaxage].some((value) => value !== undefined);
		if (orphan) throw new Error("--audit-log and its bounds need --audit-policy");
		return undefined;
	}
	const { readAuditPolicyFile } = await import("../../cluster/settings/api-settings.ts");
	return {
		policy: readAuditPolicyFile(auditPolicy),
		...(auditLog !== undefined && { log: resolve(auditLog) }),
		...(auditLogMaxsize !== undefined && { maxSizeMegabytes: auditLogMaxsize }),
		...(auditLogMaxbackup !== undefined && { maxBackups: auditLogMaxbackup }),
		...(auditLogMaxage !== undefined && { maxAgeDays: auditLogMaxage }),
	};
}

async function admissionOf({ admissionControlConfigFile: file }: ApiOptions): Promise<object | null | undefined> {
	if (file === none) return null;
	if (file === undefined) return undefined;
	const { readAdmissionFile } = await import("../../cluster/settings/api-settings.ts");
	return readAdmissionFile(file);
}

async function oidcOf(options: ApiOptions): Promise<object | null | undefined> {
	const classic = Object.entries(options).filter(([name, value]) => /^oidc./.test(name) && value !== undefined);
	if (options.oidc !== undefined && classic.length > 0)
		throw new Error("--oidc says everything that --oidc-… would say");
	if (options.oidc === none) return null;
	if (options.oidc === undefined && classic.length === 0) return undefined;
	const { readAuthenticationFile, checkAuthentication } = await import("../../cluster/settings/api-settings.ts");
	if (options.oidc !== undefined) return readAuthenticationFile(options.oidc);
	const { readOptionText } = await import("../../cluster/files/option-file.ts");
	const document = classicConfiguration(options, readOptionText);
	try {
		checkAuthentication(document);
	} catch (error) {
		throw new Error(`--oidc-…: ${messageOf(error)}`);
	}
	return document;
}

/** What the options of kube-apiserver mean (Kubernetes documentation, "OpenID Connect Tokens"). */
function classicConfiguration(options: ApiOptions, readText: (option: string, path: string) => string): object {
	const { oidcIssuerUrl: url, oidcClientId: audience, oidcCaFile, oidcGroupsClaim } = options;
	if (url === undefined || audience === undefined)
		throw new Error("--oidc-issuer-url and --oidc-client-id need each other");
	const claim = options.oidcUsernameClaim ?? "sub";
	// An e-mail address is of one person, no matter who issues the token; other names mean nothing without their issuer.
	const usualPrefix = claim === "email" ? "" : `${url}#`;
	const prefix = options.oidcUsernamePrefix === "-" ? "" : (options.oidcUsernamePrefix ?? usualPrefix);
	return {
		apiVersion: "apiserver.config.k8s.io/v1",
		kind: "AuthenticationConfiguration",
		jwt: [
			{
				issuer: {
					url,
					audiences: [audience],
					...(oidcCaFile !== undefined && { certificateAuthority: readText("--oidc-ca-file", oidcCaFile) }),
				},
				claimValidationRules: (options.oidcRequiredClaim ?? []).map(requiredClaim),
				claimMappings: {
					username: { claim, prefix },
					...(oidcGroupsClaim !== undefined && {
						groups: { claim: oidcGroupsClaim, prefix: options.oidcGroupsPrefix ?? "" },
					}),
				},
			},
		],
	};
}

function requiredClaim(text: string): object {
	const cut = text.indexOf("=");
	if (cut < 1) throw new Error(`--oidc-required-claim ${text}: claim=value is wanted`);
	return { claim: text.slice(0, cut), requiredValue: text.slice(cut + 1) };
}
