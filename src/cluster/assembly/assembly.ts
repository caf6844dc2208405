/** The common parts of every cluster, in a process of its own or embedded: a control plane and a pool of nodes. */
import type { Duplex } from "node:stream";
import { simulatedBalancer } from "../../controllers/service-load-balancer/balancer.ts";
import { type Clock, systemClock } from "../../core/time/clock.ts";
import { qualifiedResource } from "../../kinds/engine/kind.ts";
import { networkPolicies } from "../../kinds/networking/networkpolicy.ts";
import type { RuntimeKind } from "../../runtime/runtime-kind.ts";
import type { ControlPlane, ControlPlaneOptions, startControlPlane } from "../control-plane/control-plane.ts";
import { ingressController } from "../control-plane/identities.ts";
import type { Layout } from "../files/layout.ts";
import { defaultPublish, publishAddresses, publishNothing } from "../gateway/publish-address.ts";
import type { Publisher } from "../gateway/publisher.ts";
import type { IngressProcess } from "../ingress/ingress-process.ts";
import { defaultIngressPorts, type IngressPorts } from "../ingress/ports.ts";
import type { NodePool, SavedNodes } from "../nodes/node-pool.ts";
import type { ProcessNodesOptions } from "../nodes/process-nodes.ts";
import type { createSimulatedNodes } from "../nodes/simulated-nodes.ts";
import { LocalTokens } from "../pki/local-tokens.ts";
import type { ClusterNetwork } from "../settings/cluster-network.ts";

/** Loads the code of parts, which are not all needed, or not at once. */
export interface PartLoaders {
	controlPlane(): Promise<typeof startControlPlane>;
	simulatedNodes(): Promise<typeof createSimulatedNodes>;
}

export interface AssemblyOptions {
	load: PartLoaders;
	runtime: RuntimeKind;
	clock: Clock;
	network: ClusterNetwork;
	/** Of `cox up --publish`. Default: 127.0.0.1. */
	publish?: string | undefined;
	/** Of `cox up --ingress-ports`. Default: 8080 and 8443. */
	ingressPorts?: IngressPorts | undefined;
	/** False: simulated nodes write no Events of their pods. */
	podEvents?: boolean;
	/** What simulated nodes go on with. */
	savedNodes?: SavedNodes | undefined;
}

/** Options that the caller chooses. */
type ControlPlaneChoices = Omit<
	ControlPlaneOptions,
	"clock" | "wallClock" | "network" | "balancer" | "hasDns" | "authenticateToken" | "dialAgent" | "dialAddress"
>;

type ProcessNodesChoices = Omit<ProcessNodesOptions, "runtime" | "network" | "tokens">;

type Close = () => Promise<unknown>;

const noPolicies = "NetworkPolicies have no effect: simulated pods exchange no traffic";

export class Assembly {
	readonly #options: AssemblyOptions;
	/** Bearer tokens of this machine's agents. */
	readonly #tokens = new LocalTokens();
	readonly #closers: Close[] = [];
	#pool: NodePool | undefined;
	#controlPlane: ControlPlane | undefined;
	#publisher: Publisher | undefined;
	#ingress: IngressProcess | undefined;
	/** Of the cluster, if its nodes are on this machine. */
	#layout: Layout | undefined;
	#stopping = false;

	constructor(options: AssemblyOptions) {
		this.#options = options;
	}

	/** Undefined before it is created, and while the cluster is being stopped. */
	get pool(): NodePool | undefined {
		return this.#pool;
	}

	/** What does not work between the cluster and the machine, one sentence each. */
	get warnings(): readonly string[] {
		const isSimulated = this.#options.runtime === "simulated";
		const policies = isSimulated ? [...(this.#controlPlane?.informers.of(networkPolicies).list() ?? [])] : [];
		return [
			policies.length > 0 ? noPolicies : [],
			this.#pool?.notes ?? [],
			this.#publisher?.warnings ?? [],
			this.#ingress?.warnings ?? [],
		].flat();
	}

	/** URLs at which Ingresses are served; none while there are none to serve. */
	get ingressUrls(): readonly string[] {
		return this.#ingress?.urls ?? [];
	}

	/** Registers a function that is called when the cluster stops; the last one registered is called first. */
	atEnd(close: Close): void {
		this.#closers.push(close);
	}

	async startControlPlane(choices: ControlPlaneChoices): Promise<ControlPlane> {
		const { load, runtime, clock, network } = this.#options;
		const start = await load.controlPlane();
		const balancer = runtime === "simulated" ? simulatedBalancer() : await this.#createPublisher();
		const controlPlane = await start({
			...choices,
			clock,
			wallClock: systemClock({ unref: true }),
			network,
			hasDns: runtime !== "simulated",
			...(runtime === "simulated" && { withoutEffect: { [qualifiedResource(networkPolicies)]: noPolicies } }),
			...(balancer && { balancer }),
			authenticateToken: this.#tokens.userOf,
			dialAgent: (node) => this.#dial(node),
			dialAddress: (address, port) => this.#pool?.dialAddress?.(address, port),
		});
		this.atEnd(() => controlPlane.stop());
		this.#controlPlane = controlPlane;
		await this.#publish();
		return controlPlane;
	}

	/** @param onMachine returns what real nodes need; only called if there are any */
	async createPool(
		controlPlane: () => Promise<ControlPlane>,
		onMachine: () => Promise<ProcessNodesChoices> | ProcessNodesChoices,
	): Promise<NodePool> {
		const { load, runtime, clock, network, podEvents: events, savedNodes: saved } = this.#options;
		if (runtime === "simulated") {
			const simulated = {
				controlPlane: await controlPlane(),
				clock,
				saved,
				...(events === undefined ? {} : { events }),
			};
			const create = await load.simulatedNodes();
			return this.#keep(create(simulated));
		}
		const { createProcessNodes } = await import("../nodes/process-nodes.ts");
		const choices = await onMachine();
		this.#layout = choices.layout;
		return this.#keep(await createProcessNodes({ ...choices, runtime, network, tokens: this.#tokens }));
	}

	async #createPublisher(): Promise<Publisher | undefined> {
		const { publish = defaultPublish, clock } = this.#options;
		if (publish === publishNothing) return undefined;
		const { Publisher } = await import("../gateway/publisher.ts");
		this.#publisher = new Publisher({ publish, clock });
		return this.#publisher;
	}

	/** When there are a control plane and nodes, in whichever order they come. */
	async #publish(): Promise<void> {
		const { informers } = this.#controlPlane ?? {};
		const enter = this.#pool?.enterSwitch?.bind(this.#pool);
		const layout = this.#layout;
		const { publish = defaultPublish, clock, ingressPorts: ports = defaultIngressPorts } = this.#options;
		if (informers === undefined || enter === undefined || layout === undefined || publish === publishNothing) return;
		const { data, apiSocket } = layout;
		this.#publisher?.start({ informers, enter, data });
		const { address, shown = address } = publishAddresses(publish, data);
		const token = this.#tokens.grant(ingressController);
		const { IngressProcess } = await import("../ingress/ingress-process.ts");
		this.#ingress = new IngressProcess({ informers, clock, enter, data, apiSocket, token, address, shown, ports });
	}

	async #keep(pool: NodePool): Promise<NodePool> {
		if (!this.#stopping) {
			this.#pool = pool;
			await this.#publish();
			return pool;
		}
		await pool.stop();
		throw new Error("the cluster is being stopped");
	}

	async #dial(node: string): Promise<Duplex> {
		if (this.#pool === undefined) throw new Error("no nodes yet");
		return this.#pool.dial(node);
	}

	/**
	 * Stops everything: nodes first, while the API is available, then the other parts in reverse order.
	 * @returns the errors; the other parts are stopped regardless
	 */
	async stop(): Promise<unknown[]> {
		this.#stopping = true;
		const pool = this.#pool;
		this.#pool = undefined;
		const publishers = async () => Promise.all([this.#publisher?.stop(), this.#ingress?.stop()]);
		const closers = [...this.#closers.splice(0), async () => pool?.stop(), publishers];
		const failures: unknown[] = [];
		for (const close of closers.reverse()) {
			try {
				await close();
			} catch (error) {
				failures.push(error);
			}
		}
		return failures;
	}
}
