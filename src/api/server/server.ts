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

/** All steps of one server: those that are always taken, and the optional ones that it is to take. */
export interface Admission {
	/**
	 * Undefined if every step has completed; most never wait. @throws ApiError of the first step that rejects,
	 * synchronously or in the promise
	 */
	admit(request: AdmissionAttributes): Promise<void> | undefined;
	/** As `admit`. @throws ApiError when there is nothing left, or someone else has what was asked for */
	allocate(request: AdmissionAttributes): Promise<void> | undefined;
	/** As `admit`. */
	check(request: AdmissionAttributes): Promise<void> | undefined;
}

/** Writes that go along with an object's, or not at all: addresses taken and given back, quotas charged. */
export interface Companions {
	/** Keys that must not exist yet, and what they are to hold. */
	claims: { key: string; value: string }[];
	/** Keys that are to go. */
	releases: string[];
	/** Other objects that change, and the modRevision that each must have. They belong to the cache afterwards. */
	updates?: { key: string; expected: number; object: KubeObject }[];
}

export interface AdmissionAttributes {
	readonly server: Server;
	readonly user: User;
	/** `connect`: exec, attach, port-forward and proxies; the object says how. */
	readonly operation: "create" | "update" | "delete" | "connect";
	/** Of the request: an update may be a patch. */
	readonly verb: Verb;
	readonly kind: Kind;
	/** The version that the client speaks, when it is not the stored one. */
	readonly served: ServedVersion | undefined;
	/** The kind in the version that the client speaks, where admission sees a custom resource in another. */
	readonly requested?: Kind;
	readonly namespace: string | undefined;
	/** Empty for an object whose name is yet to be generated. */
	readonly name: string;
	readonly subresource: string | undefined;
	/** The object to be written, with its defaults; a step may change it. For a deletion, the object as it is. */
	readonly object: KubeObject;
	/** As it was before an update. */
	readonly old: KubeObject | undefined;
	/** What a client sent for a subresource whose objects are of another kind: an Eviction, a Binding, a TokenRequest. */
	readonly sent: KubeObject | undefined;
	readonly dryRun: boolean;
	/** Of the request, checked. */
	readonly query: URLSearchParams;
	/** Aborts when the client is gone. Made on request, because most writes do without. */
	signal(): AbortSignal;
	/** Set by webhooks that have changed the object. */
	reinvocation: Reinvocation | undefined;
	/** Writes to go along with the object's. */
	readonly companions: Companions;
	readonly warnings: string[];
	/** Where notes for the audit log go; absent when the request is not recorded there. */
	readonly audit?: { annotate(name: string, value: string, from?: "Request"): void } | undefined;
}

/** Admission by what users configure. Both return undefined where nothing is configured for the request. */
export interface DynamicAdmission {
	/** May change the object, in place. @throws ApiError, synchronously or in the promise */
	mutate(request: AdmissionAttributes): Promise<void> | undefined;
	/** @throws ApiError, synchronously or in the promise */
	validate(request: AdmissionAttributes): Promise<void> | undefined;
}

/**
 * All steps that may change an object are taken once more when a webhook has changed it; then only those webhooks are
 * called again that asked for it.
 */
export interface Reinvocation {
	isDue: boolean;
	isUnderWay: boolean;
	/** Webhooks that were called and want to be called again, should the object change. */
	readonly called: Set<string>;
	/** Those of them after which it has changed. */
	readonly again: Set<string>;
	/** The object as JSON after the last webhook. */
	output: string;
}
