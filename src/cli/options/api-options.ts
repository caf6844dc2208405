/** Options of `cox up` for authentication and auditing, named like those of kube-apiserver. */

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
	requestheaderClientCaFile?: string;
	requestheaderAllowedNames?: string;
	requestheaderUsernameHeaders?: string;
	requestheaderUidHeaders?: string;
	requestheaderGroupHeaders?: string;
	requestheaderExtraHeadersPrefix?: string;
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

/** Removes an earlier setting; an absent option keeps it. */
const none = "none";

export function withApiOptions(command: Command): Command {
	return command
		.option("--api-audiences <names>", "accepted audiences of tokens, comma-separated; none: the issuer (default)")
		.option("--audit-policy <file>", "the Policy of the audit log; none: no audit log (default: as at the last start)")
		.option(
			"--admission-control-config-file <file>",
			"an AdmissionConfiguration for PodSecurity; none: only labels of namespaces apply (default: as at the last start)",
		)
		.option("--audit-log <file>", "the file of the audit log (default: audit.log in the data directory)")
		.option(
			"--audit-log-maxsize <megabytes>",
			"maximum size of the file before it is rotated (default: 100)",
			wholeNumber,
		)
		.option("--audit-log-maxbackup <n>", "number of rotated files to keep (default: 10)", wholeNumber)
		.option("--audit-log-maxage <days>", "number of days to keep rotated files (default: unlimited)", wholeNumber)
		.option(
			"--requestheader-client-ca-file <file>",
			"authorities of proxies that say in headers who asks; none: no proxies (default: as at the last start)",
		)
		.option("--requestheader-allowed-names <names>", "common names of their certificates (default: any)")
		.option("--requestheader-username-headers <names>", "headers with the user name (default: X-Remote-User)")
		.option("--requestheader-uid-headers <names>", "headers with the UID (default: X-Remote-Uid)")
		.option("--requestheader-group-headers <names>", "headers with the groups (default: X-Remote-Group)")
		.option("--requestheader-extra-headers-prefix <prefixes>", "prefixes of others (default: X-Remote-Extra-)")
		.option("--oidc <file>", "an AuthenticationConfiguration for OpenID Connect; none: only the cluster's own tokens")
		.option("--oidc-issuer-url <url>", "accept tokens of this issuer")
		.option("--oidc-client-id <id>", "the required audience of its tokens")
		.option("--oidc-username-claim <claim>", "the claim with the user name (default: sub)")
		.option("--oidc-username-prefix <prefix>", "prefix of user names; -: none (default: the issuer's URL and #)")
		.option("--oidc-groups-claim <claim>", "the claim with the groups (default: none)")
		.option("--oidc-groups-prefix <prefix>", "prefix of groups")
		.option("--oidc-required-claim <claim=value...>", "a claim that tokens must have")
		.option("--oidc-ca-file <file>", "CA certificates of the issuer");
}

/**
 * Removes the options and returns the changes that they mean.
 * @throws Error that names the option and the problem
 */
export async function apiChanges(options: ApiOptions): Promise<ApiChanges> {
	const changes: ApiChanges = {};
	if (options.apiAudiences !== undefined)
		changes.apiAudiences =
			options.apiAudiences === none ? null : options.apiAudiences.split(",").filter((name) => name !== "");
	const audit = await auditOf(options);
	if (audit !== undefined) changes.audit = audit;
	const admission = await admissionOf(options);
	if (admission !== undefined) changes.admission = admission;
	const requestHeader = await requestHeaderOf(options);
	if (requestHeader !== undefined) changes.requestHeader = requestHeader;
	const oidc = await oidcOf(options);
	if (oidc !== undefined) changes.oidc = oidc;
	return changes;
}

async function auditOf(options: ApiOptions): Promise<AuditSettings | null | undefined> {
	const { auditPolicy, auditLog, auditLogMaxsize, auditLogMaxbackup, auditLogMaxage } = options;
	if (auditPolicy === none) return null;
	if (auditPolicy === undefined) {
		const orphan = [auditLog, auditLogMaxsize, auditLogMaxbackup, auditLogMaxage].some((value) => value !== undefined);
		if (orphan) throw new Error("--audit-log and its limits require --audit-policy");
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

async function requestHeaderOf(options: ApiOptions): Promise<ApiChanges["requestHeader"]> {
	const { requestheaderClientCaFile: file } = options;
	const others = Object.entries(options).filter(([name, value]) => /^requestheader./.test(name) && value !== undefined);
	if (file === none && others.length === 1) return null;
	if (file === undefined || file === none) {
		if (others.length > 0) throw new Error("the --requestheader-… options require --requestheader-client-ca-file");
		return undefined;
	}
	const { readFrontProxies } = await import("../../cluster/settings/front-proxies.ts");
	return readFrontProxies(file, {
		names: listOf(options.requestheaderAllowedNames),
		username: listOf(options.requestheaderUsernameHeaders),
		uid: listOf(options.requestheaderUidHeaders),
		group: listOf(options.requestheaderGroupHeaders),
		extraPrefix: listOf(options.requestheaderExtraHeadersPrefix),
	});
}

function listOf(text = ""): string[] {
	return text
		.split(",")
		.map((name) => name.trim())
		.filter((name) => name !== "");
}

async function oidcOf(options: ApiOptions): Promise<object | null | undefined> {
	const classic = Object.entries(options).filter(([name, value]) => /^oidc./.test(name) && value !== undefined);
	if (options.oidc !== undefined && classic.length > 0) throw new Error("use either --oidc or the --oidc-… options");
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

/** The meaning of kube-apiserver's options (Kubernetes documentation, "OpenID Connect Tokens"). */
function classicConfiguration(options: ApiOptions, readText: (option: string, path: string) => string): object {
	const { oidcIssuerUrl: url, oidcClientId: audience, oidcCaFile, oidcGroupsClaim } = options;
	if (url === undefined || audience === undefined)
		throw new Error("--oidc-issuer-url and --oidc-client-id require each other");
	const claim = options.oidcUsernameClaim ?? "sub";
	// An e-mail address identifies a person regardless of the issuer; other names are only unique with their issuer.
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
	if (cut < 1) throw new Error(`--oidc-required-claim ${text}: expected claim=value`);
	return { claim: text.slice(0, cut), requiredValue: text.slice(cut + 1) };
}
