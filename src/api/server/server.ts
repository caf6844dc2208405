/** The components of the API server and one request in progress, as pipeline steps, verbs and admission see them. */

import type { ApiRequest, User } from "../../core/exchange.ts";
import type { MetricRegistry } from "../../core/metrics/registry.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Clock } from "../../core/time/clock.ts";
import type { Kind, ServedVersion } from "../../kinds/engine/kind.ts";
import type { Registry } from "../../kinds/engine/registry.ts";
import type { Store } from "../../store/store.ts";
import type { Audit } from "../audit/audit.ts";
import type { AuditRecord } from "../audit/record.ts";
import type { WatchCache } from "../cache/cache.ts";
import type { TokenAuthenticator } from "../credentials/token-authenticator.ts";
import type { Tokens } from "../credentials/tokens.ts";
import type { FlowControl } from "../flow-control/flow-control.ts";
import type { StoreMetrics } from "../metrics/server.ts";
import type { Authorizer } from "../request/authorizer.ts";
import type { RequestInfo, Verb } from "../request/request-info.ts";
import type { ApiOptions } from "./options.ts";

/** The parts that the steps share. */
export interface Server {
	readonly store: Store;
	readonly clock: Clock;
	readonly registry: Registry;
	readonly cache: WatchCache;
	readonly tokens: Tokens;
	/** Authorization: consulted by every entry point, and by admission plugins with additional checks. */
	readonly authorizer: Authorizer;
	/** Which requests run now, which wait, which are refused. */
	readonly flowControl: FlowControl;
	/** Those who know bearer tokens, in the order in which they are asked. */
	readonly authenticators: readonly TokenAuthenticator[];
	readonly admission: Admission;
	/** What users configure at run time: steps of `admission`. */
	readonly webhooks: DynamicAdmission & { close(): void };
	readonly policies: DynamicAdmission;
	/** Undefined: nothing is recorded. */
	readonly audit: Audit | undefined;
	readonly metrics: { readonly registry: MetricRegistry; readonly store: StoreMetrics };
	readonly options: ApiOptions;
}

/** One request on its way through the pipeline. */
export interface Context {
	readonly server: Server;
	readonly request: ApiRequest;
	readonly info: RequestInfo;
	readonly user: User;
	/** Texts for `Warning` headers. */
	readonly warnings: string[];
	/** What the audit log notes of it; undefined when it is not recorded. */
	readonly audit: AuditRecord | undefined;
}

/** All steps of one server: the permanent and the enabled optional ones. */
export interface Admission {
	/**
	 * Undefined if every step has completed; most never wait. @throws ApiError of the first step that rejects,
	 * synchronously or in the promise
	 */
	admit(request: AdmissionAttributes): Promise<void> | undefined;
	/** As `admit`. @throws ApiError if nothing is left, or the requested value is taken */
	allocate(request: AdmissionAttributes): Promise<void> | undefined;
	/** As `admit`. */
	check(request: AdmissionAttributes): Promise<void> | undefined;
}

/** Writes in the same commit as an object's: allocated and released addresses, charged quotas. */
export interface Companions {
	/** Keys that must not exist yet, and their values. */
	claims: { key: string; value: string }[];
	/** Keys to be deleted. */
	releases: string[];
	/** Other changed objects, and the modRevision that each must have. They belong to the cache afterwards. */
	updates?: { key: string; expected: number; object: KubeObject }[];
}

export interface AdmissionAttributes {
	readonly server: Server;
	readonly user: User;
	/** `connect`: exec, attach, port-forward and proxies; the object has the options. */
	readonly operation: "create" | "update" | "delete" | "connect";
	/** The request's verb: an update may be a patch. */
	readonly verb: Verb;
	readonly kind: Kind;
	/** The version that the client speaks, when it is not the stored one. */
	readonly served: ServedVersion | undefined;
	/** The kind in the client's version, if admission sees a custom resource in another one. */
	readonly requested?: Kind;
	readonly namespace: string | undefined;
	/** Empty for an object whose name has not been generated yet. */
	readonly name: string;
	readonly subresource: string | undefined;
	/** The object to be written, with its defaults; a step may change it. For a deletion, the current object. */
	readonly object: KubeObject;
	/** The object before an update. */
	readonly old: KubeObject | undefined;
	/** The body for a subresource of another kind: an Eviction, a Binding, a TokenRequest. */
	readonly sent: KubeObject | undefined;
	readonly dryRun: boolean;
	/** Of the request, checked. */
	readonly query: URLSearchParams;
	/** Aborts when the client is gone. Made on request, because most writes do without. */
	signal(): AbortSignal;
	/** Set by webhooks that have changed the object. */
	reinvocation: Reinvocation | undefined;
	/** Writes in the same commit as the object's. */
	readonly companions: Companions;
	readonly warnings: string[];
	/** The record of the request in the audit log; absent if it is not recorded. */
	readonly audit?: { annotate(name: string, value: string, from?: "Request"): void } | undefined;
}

/** Admission that users configure. Both return undefined if nothing is configured for the request. */
export interface DynamicAdmission {
	/** May change the object, in place. @throws ApiError, synchronously or in the promise */
	mutate(request: AdmissionAttributes): Promise<void> | undefined;
	/** @throws ApiError, synchronously or in the promise */
	validate(request: AdmissionAttributes): Promise<void> | undefined;
}

/**
 * If a webhook has changed an object, all mutating steps run once more, but only reinvocable webhooks are called again.
 */
export interface Reinvocation {
	isDue: boolean;
	isUnderWay: boolean;
	/** Called webhooks that are called again if the object changes. */
	readonly called: Set<string>;
	/** Those of them after which the object has changed. */
	readonly again: Set<string>;
	/** The object as JSON after the last webhook. */
	output: string;
}
