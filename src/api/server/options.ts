/** What an API server is created with. */

import type { Duplex } from "node:stream";
import type { User } from "../../core/exchange.ts";
import type { MetricRegistry } from "../../core/metrics/registry.ts";
import type { Clock } from "../../core/time/clock.ts";
import type { MutableRegistry } from "../../kinds/engine/registry.ts";
import type { Store } from "../../store/store.ts";
import type { AuditOptions } from "../audit/audit.ts";
import type { JwtAuthenticator } from "../credentials/oidc/configuration.ts";
import type { TokenOptions } from "../credentials/tokens.ts";
import type { StoreFile } from "../metrics/server.ts";
import type { PodSecurityConfiguration } from "../pod-security/configuration.ts";
import type { IdentityHeaders } from "../request/front-proxy.ts";
import type { ResourceInfo } from "../request/request-info.ts";
import type { InProcessWebhook } from "./admission-review.ts";
import type { KeptLogs } from "./kept-logs.ts";
import type { NodeUsage } from "./node-usage.ts";

/** A write of an object, and its answer. */
export interface AnsweredWrite {
	user: User;
	userAgent: string;
	/** `create`, `update`, `patch`, `delete` or `deletecollection`. */
	verb: string;
	resource: ResourceInfo;
	/** The answer's HTTP status code. */
	code: number;
	/** The object, or a Status; frozen. */
	answer: unknown;
}

export interface ApiOptions {
	store: Store;
	clock: Clock;
	/** Custom resources join and leave it. */
	registry: MutableRegistry;
	/** The time of those who connect from outside, for the timeouts they ask for. Default: `clock`. */
	wallClock?: Clock;
	/** Authenticates bearer tokens other than the service account tokens that the server signs itself. */
	authenticateToken?: (token: string) => User | undefined | Promise<User | undefined>;
	/** Opens a connection to a node's agent. Without it logs, exec and proxying answer ServiceUnavailable. */
	dialAgent?: (node: string) => Promise<Duplex>;
	/**
	 * Opens a connection to an endpoint of a service that is no pod. Undefined: it cannot be reached. Default: none can.
	 */
	dialAddress?: (address: string, port: number) => Duplex | undefined;
	/** The certificate that the server shows to extension API servers, in PEM. Undefined: none (yet). */
	proxyClient?: (() => { key: string; cert: string } | undefined) | undefined;
	/** Range of service addresses. */
	serviceCidr: string;
	/** First and last node port. Default 30000 to 32767. */
	nodePorts?: readonly [number, number];
	serviceAccounts?: TokenOptions;
	/**
	 * What tokens must be for, one of them, to be good for this server. Default: the issuer of service account tokens.
	 */
	apiAudiences?: readonly string[];
	/** Headers in which proxies in front of the server say who asks. Default: `X-Remote-User` and so on. */
	identityHeaders?: IdentityHeaders | undefined;
	/** Other issuers whose tokens are taken. */
	oidc?: readonly JwtAuthenticator[];
	/** What is recorded of requests, and where. Default: nothing. */
	audit?: AuditOptions | undefined;
	/** Called for each write of an object, allowed or not, when it is answered. It must return quickly. */
	onWrite?: ((write: AnsweredWrite) => void) | undefined;
	/** Called for every request that authorization denies, with the message of the response. */
	onRefused?: ((user: User, why: string) => void) | undefined;
	/** Called when something fails that the server does on its own, and will try again. */
	onError?: ((what: string, error: unknown) => void) | undefined;
	/** The logs of ended containers that outlive them. Without it there are none. */
	keptLogs?: KeptLogs | undefined;
	/** Where what the server counts goes, and what `/metrics` tells. Default: one of the server's own. */
	metrics?: MetricRegistry;
	/** Without it, metrics say nothing of it. */
	storeFile?: StoreFile | undefined;
	/** What nodes and their pods use now. Without it metrics.k8s.io is not served. */
	usage?: () => Promise<readonly NodeUsage[]>;
	/** As reported by `/version` and discovery: `v1.36.0+coxswain`. */
	gitVersion?: string;
	/** The rest of what `/version` tells: the commit and date of this program. */
	build?: () => { gitCommit: string; gitTreeState: string; buildDate: string };
	/** Changes that a watch or a paged list can go back, for each resource. Default 4096. */
	watchHistory?: number;
	/** Bytes of superseded objects that are kept for that, of all resources together. Default 32 MiB. */
	watchHistoryBytes?: number;
	/**
	 * Optional steps of admission that are to be taken, by upstream's names (`--enable-admission-plugins`). Default:
	 * none.
	 */
	admissionPlugins?: readonly string[];
	/** Steps of admission that are left out, by upstream's names (`--disable-admission-plugins`). Default: none. */
	disabledAdmissionPlugins?: readonly string[];
	/** True: every request of an authenticated user is allowed (`--authorization-mode=AlwaysAllow`). */
	allowsEverything?: boolean;
	/** Webhooks of the program that runs the server. They are asked before those of configurations. */
	webhooks?: readonly InProcessWebhook[];
	/** Pod Security Standards for all namespaces. Default: only what their labels say. */
	podSecurity?: PodSecurityConfiguration;
	/** Kinds that this cluster stores without effect, as `plural.group`, with the sentence that creators are warned with. */
	withoutEffect?: Readonly<Record<string, string>>;
	/** Memory that objects may take, all together. Default: half of the heap that Node.js allows itself. */
	objectLimitBytes?: number;
	/**
	 * Seats for requests that are answered at the same time (default 600), bodies that are received, and connections that
	 * are opened (default 1000 each).
	 */
	maxRequestsInFlight?: number;
}
