/** `admission.k8s.io/v1 AdmissionReview`, and webhooks that are functions of the program that runs the server. */
import type { KubeObject } from "../../core/object.ts";
import type { LabelSelector } from "../../core/selection/selector.ts";
import type { RuleWithOperations } from "../../kinds/generated/types.ts";

export interface GroupVersionKind {
	group: string;
	version: string;
	kind: string;
}

export interface GroupVersionResource {
	group: string;
	version: string;
	resource: string;
}

export interface AdmissionRequest {
	uid: string;
	kind: GroupVersionKind;
	resource: GroupVersionResource;
	subResource?: string;
	/** As the client sent it; `kind` and `resource` are what the webhook asked for. */
	requestKind: GroupVersionKind;
	requestResource: GroupVersionResource;
	requestSubResource?: string;
	name?: string;
	namespace?: string;
	operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
	userInfo: {
		username: string;
		uid?: string;
		groups?: readonly string[];
		extra?: Readonly<Record<string, readonly string[]>>;
	};
	/** Null for a deletion. */
	object: KubeObject | null;
	/** Null where nothing was there before. */
	oldObject: KubeObject | null;
	dryRun: boolean;
	options: Record<string, unknown> | null;
}

export interface AdmissionResponse {
	allowed: boolean;
	status?: { code?: number; message?: string; reason?: string; status?: string; details?: object };
	/** Operations of a JSON patch. */
	patch?: readonly unknown[];
	warnings?: readonly string[];
	auditAnnotations?: Readonly<Record<string, string>>;
}

/** A webhook without a socket. What is left out has the defaults of `admissionregistration.k8s.io/v1`. */
export interface InProcessWebhook {
	/** Unique; shown in messages. */
	name: string;
	/** Mutating webhooks are asked in their order, before validating ones. */
	type: "mutating" | "validating";
	rules: readonly RuleWithOperations[];
	failurePolicy?: "Fail" | "Ignore";
	matchPolicy?: "Exact" | "Equivalent";
	namespaceSelector?: LabelSelector;
	objectSelector?: LabelSelector;
	reinvocationPolicy?: "Never" | "IfNeeded";
	/** For answers that are promises. Default 10. */
	timeoutSeconds?: number;
	/**
	 * Answers a request, whose objects it may keep and change. Undefined admits the request; what is thrown is a failed
	 * call.
	 */
	handle(
		request: AdmissionRequest,
	): Partial<AdmissionResponse> | undefined | Promise<Partial<AdmissionResponse> | undefined>;
}
