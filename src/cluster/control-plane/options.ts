import type { Duplex } from "node:stream";
import type { AuditOptions } from "../../api/audit/audit.ts";
import type { JwtAuthenticator } from "../../api/credentials/oidc/configuration.ts";
import type { ClientTrust } from "../../api/listen.ts";
import type { StoreFile } from "../../api/metrics/server.ts";
import type { PodSecurityConfiguration } from "../../api/pod-security/configuration.ts";
import type { InProcessWebhook } from "../../api/server/admission-review.ts";
import type { AnsweredWrite } from "../../api/server/options.ts";
import type { Balancer } from "../../controllers/service-load-balancer/balancer.ts";
import type { User } from "../../core/exchange.ts";
import type { Clock } from "../../core/time/clock.ts";
import type { HistoryOptions } from "../../history/retention/settings.ts";
import type { MutableRegistry } from "../../kinds/engine/registry.ts";
import type { NotifyOptions } from "../../notify/delivery/settings.ts";
import type { Store } from "../../store/store.ts";
import type { ClusterNetwork } from "../settings/cluster-network.ts";
import type { Authority } from "./controllers.ts";

export interface ControlPlaneOptions {
	store: Store;
	clock: Clock;
	/** The kinds that are served. Default: the built-in ones. */
	registry?: MutableRegistry;
	/** The clock of clients outside of the process, if it differs. */
	wallClock?: Clock;
	/** Undefined while there is none: see publishAuthority. */
	authority?: Authority;
	/** Whose client certificates are believed, for extension API servers. Undefined while there is no authority. */
	trust?: ClientTrust;
	/** What the API server shows to extension API servers, in PEM. Default: the certificate of `authority`. */
	proxyClient?: { key: string; cert: string };
	/** PEM of the key that signs service account tokens. */
	serviceAccountKey?: string;
	/** Of service account tokens. Default `https://kubernetes.default.svc.cluster.local`. */
	serviceAccountIssuer?: string;
	network: ClusterNetwork;
	/** What serves Services of type LoadBalancer. Default: nothing, they stay pending. */
	balancer?: Balancer;
	/** Whether nodes serve DNS, at the tenth address of the service range. Default: no. */
	hasDns?: boolean;
	/**
	 * Optional admission plugins, by upstream's names.
	 * @throws Error at the start for an unknown one
	 */
	admissionPlugins?: readonly string[];
	/**
	 * Plugins that are left out.
	 * @throws Error at the start for an unknown one
	 */
	disabledAdmissionPlugins?: readonly string[];
	/** True: every request of an authenticated user is allowed. */
	allowsEverything?: boolean;
	/** Whether a controller, or `kube-scheduler`, runs. Default: all do. */
	runs?(component: string): boolean;
	/** Admission webhooks of the program that runs the cluster. */
	webhooks?: readonly InProcessWebhook[];
	/** Kinds that are stored without effect, as `plural.group`, with the sentence that creators are warned with. */
	withoutEffect?: Readonly<Record<string, string>>;
	/** Pod Security Standards for all namespaces. */
	podSecurity?: PodSecurityConfiguration;
	/** Accepted audiences of tokens. Empty: the issuer of service account tokens. */
	apiAudiences?: readonly string[];
	/** Other accepted issuers of tokens. */
	oidc?: readonly JwtAuthenticator[];
	/** Which requests are recorded, and where. Default: none. */
	audit?: AuditOptions | undefined;
	/** How much history of Jobs is kept. False: none. */
	history?: HistoryOptions | false | undefined;
	/** Where notifications may be sent. Default: nowhere. */
	notify?: (NotifyOptions & { isPublicOpen?: boolean }) | undefined;
	authenticateToken?(token: string): User | undefined;
	dialAgent?(node: string): Promise<Duplex>;
	dialAddress?(address: string, port: number): Duplex | undefined;
	/** Called for each write of an object when it is answered. */
	onWrite?: ((write: AnsweredWrite) => void) | undefined;
	/** For metrics. */
	storeFile?: StoreFile;
	/** Called for errors that were handled but should be visible: a controller's failed plan, a lost watch. */
	onError?(what: string, error: unknown): void;
}
