/** Whose tokens the API server takes and what it records, as `cox up` says it and the data directory keeps it. */

import { auditPolicy } from "../../api/audit/policy.ts";
import { jwtAuthenticators } from "../../api/credentials/oidc/configuration.ts";
import { podSecurityConfiguration } from "../../api/pod-security/configuration-file.ts";
import { readOptionFile } from "../files/option-file.ts";

export interface ApiSettings {
	/** An AuthenticationConfiguration, as the user wrote it. */
	oidc?: object;
	audit?: AuditSettings;
	/** What tokens must be for; absent: for the issuer of service account tokens. */
	apiAudiences?: readonly string[];
	/** An AdmissionConfiguration, as the user wrote it. */
	admission?: object;
}

export interface AuditSettings {
	/** A Policy of audit.k8s.io/v1, as the user wrote it. */
	policy: object;
	/** Absolute. Default: audit.log in the data directory. */
	log?: string;
	maxSizeMegabytes?: number;
	maxBackups?: number;
	maxAgeDays?: number;
}

/** What a start changes of them: null takes something away, and what is absent stays. */
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

/** @throws Error that names every field that is wrong */
export function checkAuthentication(document: object): void {
	jwtAuthenticators(document);
}

function readDocument(option: string, path: string, check: (document: unknown) => unknown): object {
	// What is no mapping was refused.
	return readOptionFile(option, path, check).document as object;
}

/** Makes the changes. */
export function changeSettings(settings: ApiSettings, { oidc, audit, apiAudiences, admission }: ApiChanges): void {
	if (oidc === null) delete settings.oidc;
	else if (oidc !== undefined) settings.oidc = oidc;
	if (audit === null) delete settings.audit;
	else if (audit !== undefined) settings.audit = audit;
	if (admission === null) delete settings.admission;
	else if (admission !== undefined) settings.admission = admission;
	if (apiAudiences === null) delete settings.apiAudiences;
	else if (apiAudiences !== undefined) settings.apiAudiences = apiAudiences;
}
