/** The API server's settings for authentication and auditing, from `cox up` and in the data directory. */

import { auditPolicy } from "../../api/audit/policy.ts";
import { jwtAuthenticators } from "../../api/credentials/oidc/configuration.ts";
import { podSecurityConfiguration } from "../../api/pod-security/configuration-file.ts";
import type { FrontProxyTrust } from "../../api/request/front-proxy.ts";
import { readOptionFile } from "../files/option-file.ts";

export interface ApiSettings {
	/** The user's AuthenticationConfiguration. */
	oidc?: object;
	audit?: AuditSettings;
	/** Accepted audiences of tokens; absent: the issuer of service account tokens. */
	apiAudiences?: readonly string[];
	/** The user's AdmissionConfiguration. */
	admission?: object;
	/** Proxies in front of the API server. */
	requestHeader?: FrontProxyTrust;
}

export interface AuditSettings {
	/** The user's Policy of audit.k8s.io/v1. */
	policy: object;
	/** Absolute. Default: audit.log in the data directory. */
	log?: string;
	maxSizeMegabytes?: number;
	maxBackups?: number;
	maxAgeDays?: number;
}

/** Changes at a start: null removes a setting, absent ones are kept. */
export type ApiChanges = { [Name in keyof ApiSettings]?: ApiSettings[Name] | null };

/** @throws Error naming the file and what of it cannot be heeded */
export function readAuditPolicyFile(path: string): object {
	return readDocument("--audit-policy", path, auditPolicy);
}

/** @throws Error naming the file and what of it cannot be heeded */
export function readAuthenticationFile(path: string): object {
	return readDocument("--oidc", path, (document) => jwtAuthenticators(document));
}

/** @throws Error naming the file and what of it cannot be heeded */
export function readAdmissionFile(path: string): object {
	return readDocument("--admission-control-config-file", path, podSecurityConfiguration);
}

/** @throws Error that names every invalid field */
export function checkAuthentication(document: object): void {
	jwtAuthenticators(document);
}

function readDocument(option: string, path: string, check: (document: unknown) => unknown): object {
	// Documents that are not mappings were rejected.
	return readOptionFile(option, path, check).document as object;
}

/** Makes the changes. */
export function changeSettings(settings: ApiSettings, changes: ApiChanges): void {
	const { oidc, audit, apiAudiences, admission, requestHeader } = changes;
	if (oidc === null) delete settings.oidc;
	else if (oidc !== undefined) settings.oidc = oidc;
	if (audit === null) delete settings.audit;
	else if (audit !== undefined) settings.audit = audit;
	if (admission === null) delete settings.admission;
	else if (admission !== undefined) settings.admission = admission;
	if (apiAudiences === null) delete settings.apiAudiences;
	else if (apiAudiences !== undefined) settings.apiAudiences = apiAudiences;
	if (requestHeader === null) delete settings.requestHeader;
	else if (requestHeader !== undefined) settings.requestHeader = requestHeader;
}
