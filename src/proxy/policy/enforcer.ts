/**
 * Keeps the network policies of one node in force. Costs one watch as long as the cluster has no policies: pods and
 * namespaces are watched from the first one on.
 */
import type { Informer, InformerCache } from "../../client/informer-cache.ts";
import { parseIPv4 } from "../../core/addresses.ts";
import { sameJson } from "../../core/equal.ts";
import type { Clock, Timer } from "../../core/time/clock.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import type { Namespace, NetworkPolicy, Pod } from "../../kinds/generated/types.ts";
import { networkPolicies } from "../../kinds/networking/networkpolicy.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { isFinished } from "../../kinds/pod/pod-lifecycle.ts";
import type { PolicyProtocol, PolicyRules } from "../../network/policy.ts";
import { type AddressedPod, policyRules } from "./plan.ts";

/** Changes are collected for this time: a rollout changes many pods at once. */
const gatherMs = 20;
const retryMs = 1000;

export interface PolicyEnforcer {
	/** Resolves when the policies about the pod apply to its address. */
	protect(uid: string, address: string): Promise<void>;
	release(uid: string): void;
	stop(): void;
}

export interface PolicyEnforcerOptions {
	informers: InformerCache;
	/** The pods of this node, as its agent sees them. */
	own: Informer<Pod>;
	clock: Clock;
	/** What nodes serve in place of pods, which policies select as if they were pods. */
	served: readonly AddressedPod[];
	/** Puts rules in force, atomically. */
	apply(rules: PolicyRules): Promise<void>;
	/** The pods of this node by UID, also those that were attached before the agent restarted. */
	attached: ReadonlyMap<string, string>;
	onError(error: unknown): void;
	/** Called for each policy that is not in force because `apply` failed. */
	notEnforced(policy: NetworkPolicy, error: unknown): void;
}

const ownByUid = "uid";

export function startPolicyEnforcer(options: PolicyEnforcerOptions): PolicyEnforcer {
	return new Enforcer(options);
}

class Enforcer implements PolicyEnforcer {
	readonly #options: PolicyEnforcerOptions;
	readonly #policies: Informer<NetworkPolicy>;
	/** Pods of this node by UID. `last`: a deleted pod is isolated until its containers have ended. */
	readonly #local: Map<string, { address: string; last?: Pod }>;
	readonly #subscriptions: (() => void)[] = [];
	#peers: { pods: Informer<Pod>; namespaces: Informer<Namespace> } | undefined;
	#timer: Timer | undefined;
	#running: Promise<void> | undefined;
	/** What happened since the last pass began. */
	#changed = true;
	/** Duration of the last pass. */
	#lastMs = 0;
	#stopped = false;

	constructor(options: PolicyEnforcerOptions) {
		this.#options = options;
		this.#local = new Map([...options.attached].map(([uid, address]) => [uid, { address }]));
		options.own.addIndex(ownByUid, ({ metadata }) => [metadata.uid]);
		this.#policies = options.informers.of(networkPolicies);
		this.#subscriptions.push(
			this.#policies.onChange(() => this.#touch()),
			options.own.onChange((current, old) => {
				if (!sameJson(current?.metadata.labels, old?.metadata.labels)) this.#touch();
			}),
		);
		// Replaces rules that an earlier agent has left.
		this.#ask(0);
	}

	async protect(uid: string, address: string): Promise<void> {
		this.#local.set(uid, { address });
		this.#changed = true;
		await this.#policies.reached(0);
		// A pass that is running may have begun without this pod; the next one has not, whatever changes meanwhile.
		await this.#running?.catch(() => {});
		if (this.#changed && !this.#stopped) await this.#pass();
	}

	release(uid: string): void {
		if (this.#local.delete(uid)) this.#touch();
	}

	stop(): void {
		this.#stopped = true;
		this.#timer?.cancel();
		for (const unsubscribe of this.#subscriptions) unsubscribe();
	}

	#touch(): void {
		this.#changed = true;
		// In a large cluster that keeps changing, at most half of the time.
		this.#ask(Math.max(gatherMs, this.#lastMs));
	}

	#ask(delayMs: number): void {
		if (this.#stopped) return;
		this.#timer ??= this.#options.clock.after(delayMs, () => {
			this.#timer = undefined;
			// Whoever waits for it is told of a failure, too.
			this.#pass().catch(() => {});
		});
	}

	/** One at a time, shared by all callers. */
	#pass(): Promise<void> {
		this.#running ??= this.#enforce().finally(() => {
			this.#running = undefined;
		});
		return this.#running;
	}

	async #enforce(): Promise<void> {
		await Promise.all([this.#policies.reached(0), this.#options.own.reached(0)]);
		let about: NetworkPolicy[] = [];
		try {
			const wanted = [...this.#policies.list()];
			const peers = wanted.length === 0 ? this.#peers : await this.#watchPeers();
			this.#changed = false;
			const { clock } = this.#options;
			const beganMs = clock.monotonicMs();
			for (const [uid, pod] of this.#local) {
				const [current] = this.#options.own.byIndex(ownByUid, uid);
				if (current !== undefined) pod.last = current;
			}
			const local = this.#localPods();
			about = wanted.filter(({ metadata }) => local.some(({ namespace }) => namespace === metadata.namespace));
			await this.#options.apply(
				policyRules({
					policies: [...this.#policies.list()],
					namespaces: new Map(
						[...(peers?.namespaces.list() ?? [])].map(({ metadata }) => [metadata.name, metadata.labels ?? {}]),
					),
					pods: this.#allPods(peers?.pods, local),
					local,
				}),
			);
			this.#lastMs = clock.monotonicMs() - beganMs;
		} catch (error) {
			if (this.#stopped) throw error;
			this.#changed = true;
			this.#options.onError(error);
			for (const policy of about) this.#options.notEnforced(policy, error);
			this.#ask(retryMs);
			throw error;
		}
	}

	async #watchPeers() {
		if (this.#peers === undefined) {
			const { informers } = this.#options;
			this.#peers = { pods: informers.of(pods), namespaces: informers.of(namespaces) };
			this.#subscriptions.push(
				this.#peers.pods.onChange((current, old) => {
					// Pods write their status often; only what rules are made of matters here.
					if (!sameJson(peerOf(current), peerOf(old))) this.#touch();
				}),
				this.#peers.namespaces.onChange((current, old) => {
					if (!sameJson(current?.metadata.labels, old?.metadata.labels)) this.#touch();
				}),
			);
		}
		await Promise.all([this.#peers.pods.reached(0), this.#peers.namespaces.reached(0)]);
		return this.#peers;
	}

	#localPods(): AddressedPod[] {
		return [...this.#local.values()].flatMap(({ address, last }) =>
			last === undefined ? [] : [addressed(last, address)],
		);
	}

	/** Addresses of this node's pods are known before they are in the API. */
	#allPods(all: Informer<Pod> | undefined, local: readonly AddressedPod[]): AddressedPod[] {
		const others = [...(all?.list() ?? [])].filter(({ metadata }) => !this.#local.has(metadata.uid));
		const peers = others.map(peerOf).filter((pod) => pod !== undefined);
		return [...this.#options.served, ...local, ...peers];
	}
}

/** Undefined for pods that no rule is about: without an address of their own, or ended. */
function peerOf(pod: Pod | undefined): AddressedPod | undefined {
	if (pod === undefined || pod.spec.hostNetwork === true || isFinished(pod)) return undefined;
	const { podIP = "", podIPs = [] } = pod.status ?? {};
	const address = [podIP, ...podIPs.map(({ ip }) => ip)].find((ip) => parseIPv4(ip) !== undefined);
	return address === undefined ? undefined : addressed(pod, address);
}

function addressed({ metadata, spec }: Pod, address: string): AddressedPod {
	const restartable = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
	const ports = [...spec.containers, ...restartable].flatMap((container) =>
		(container.ports ?? []).flatMap(({ name = "", protocol = "TCP", containerPort }) =>
			// Validation rejects any other protocol.
			name === "" ? [] : [{ name, protocol: protocol as PolicyProtocol, port: containerPort }],
		),
	);
	return { namespace: metadata.namespace ?? "", labels: metadata.labels ?? {}, address, ports };
}
