/** Runs the ingress process (ingress-main.ts) while the cluster has an IngressClass for it. */
import type { ChildProcess } from "node:child_process";
import type { InformerCache } from "../../client/informer-cache.ts";
import { sameJson } from "../../core/equal.ts";
import { messageOf } from "../../core/errors.ts";
import { inTurn } from "../../core/in-turn.ts";
import type { Clock, Timer } from "../../core/time/clock.ts";
import { secrets } from "../../kinds/core/secret.ts";
import type { Secret } from "../../kinds/generated/types.ts";
import { ingresses } from "../../kinds/networking/ingress.ts";
import { ingressClasses } from "../../kinds/networking/ingressclass.ts";
import { spawnApart } from "../../linux/inherited.ts";
import { logError } from "../../linux/process-log.ts";
import { type CertificateSource, secretsOf } from "../../proxy/ingress/certificates.ts";
import { ingressControllerName, isServed } from "../../proxy/ingress/class.ts";
import { agentMark, serverMark } from "../control/cluster-processes.ts";
import { nodeFlags, programFile } from "../files/package-files.ts";
import { bind } from "../gateway/bind.ts";
import type { IngressPorts } from "./ports.ts";
import type { IngressOrder } from "./protocol.ts";

const retryMs = 1_000;

export interface IngressOptions {
	informers: InformerCache;
	clock: Clock;
	/** The command that enters the network of the switch. */
	enter(): Promise<readonly [string, ...string[]]>;
	/** The cluster's data directory, which marks the process. */
	data: string;
	apiSocket: string;
	/** Of the ingress controller's service account. */
	token: string;
	/** Where it listens, and the address in the status of Ingresses. */
	address: string;
	shown: string;
	ports: IngressPorts;
}

export class IngressProcess {
	readonly #options: IngressOptions;
	readonly #oneAtATime = inTurn();
	readonly #unsubscribe: (() => void)[];
	/** The certificates that the process has. */
	#certificates: CertificateSource = {};
	#child: ChildProcess | undefined;
	#retry: Timer | undefined;
	#problem: string | undefined;
	#stopped = false;

	constructor(options: IngressOptions) {
		this.#options = options;
		const { informers } = options;
		this.#unsubscribe = [
			informers.of(ingressClasses).onChange(() => {
				this.#look();
				this.#certify();
			}),
			informers.of(ingresses).onChange((current, old) => {
				if (current?.spec.tls !== undefined || old?.spec.tls !== undefined) this.#certify();
			}),
			informers.of(secrets).onChange((current, old) => {
				if (isCertificate(current) || isCertificate(old)) this.#certify();
			}),
		];
	}

	/** URLs at which Ingresses are served; none while there is nothing to serve. */
	get urls(): string[] {
		const { address, ports } = this.#options;
		return this.#child === undefined ? [] : [`http://${address}:${ports.http}`, `https://${address}:${ports.https}`];
	}

	/** Why Ingresses are not served, one sentence. */
	get warnings(): string[] {
		return this.#problem === undefined ? [] : [`Ingresses: ${this.#problem}`];
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		for (const unsubscribe of this.#unsubscribe) unsubscribe();
		this.#retry?.cancel();
		await this.#oneAtATime(async () => this.#end((child) => child.disconnect()));
	}

	get #isWanted(): boolean {
		const classes = [...this.#options.informers.of(ingressClasses).list()];
		return !this.#stopped && classes.some(({ spec }) => spec?.controller === ingressControllerName);
	}

	#look(): void {
		void this.#oneAtATime(async () => {
			try {
				if (!this.#isWanted) await this.#end((child) => send(child, { do: "finish" }));
				else if (this.#child === undefined) await this.#start();
				this.#problem = undefined;
			} catch (error) {
				this.#problem = messageOf(error);
				logError("ingress", error);
				await this.#end((child) => child.disconnect());
				this.#again();
			}
		});
	}

	#certify(): void {
		void this.#oneAtATime(async () => {
			if (this.#child?.connected !== true) return;
			const certificates = this.#wantedCertificates();
			if (sameJson(certificates, this.#certificates)) return;
			this.#certificates = certificates;
			await send(this.#child, { do: "certify", certificates }).catch(() => {});
		});
	}

	#wantedCertificates(): CertificateSource {
		const { informers } = this.#options;
		const classes = informers.of(ingressClasses);
		const served = [...informers.of(ingresses).list()].filter((ingress) =>
			isServed(ingress, (name) => classes.get(undefined, name)),
		);
		const found = [...new Set(served.flatMap(secretsOf))].flatMap((key) => {
			const secret = informers.of(secrets).get(undefined, key);
			const text = (name: string) => Buffer.from(secret?.data?.[name] ?? "", "base64").toString();
			return isCertificate(secret) ? [[key, { cert: text("tls.crt"), key: text("tls.key") }] as const] : [];
		});
		return Object.fromEntries(found);
	}

	#again(): void {
		if (this.#stopped) return;
		this.#retry?.cancel();
		this.#retry = this.#options.clock.after(retryMs, () => this.#look());
	}

	/** @throws Error that says why a port cannot be opened */
	async #start(): Promise<void> {
		const { address, shown, ports, apiSocket, token, data, enter } = this.#options;
		const [program, ...args] = await enter();
		const command = [...args, process.execPath, ...nodeFlags, programFile("ingress")];
		const env = { ...process.env, [serverMark]: undefined, [agentMark]: data };
		const child = spawnApart(program, command, { stdio: ["ignore", "inherit", "inherit", "ipc"], env });
		this.#child = child;
		const ended = () => {
			if (this.#child !== child) return;
			this.#child = undefined;
			this.#again();
		};
		child.once("error", ended);
		child.once("exit", ended);
		const status = [ports.http, ports.https].map((port) => ({ port, protocol: "TCP" }));
		this.#certificates = this.#wantedCertificates();
		const served = { ip: shown, ports: status };
		await send(child, { do: "start", apiSocket, token, address: served, certificates: this.#certificates });
		for (const protocol of ["http", "https"] as const) {
			const handle = await bind("TCP", address, ports[protocol]);
			try {
				await send(child, { do: "listen", protocol }, handle);
			} finally {
				// The process has its own descriptor.
				handle.close();
			}
		}
	}

	/** @param ask makes it end by itself */
	async #end(ask: (child: ChildProcess) => unknown): Promise<void> {
		const child = this.#child;
		this.#child = undefined;
		if (child?.connected !== true) return;
		const ended = new Promise((resolve) => child.once("exit", resolve));
		const late = this.#options.clock.after(retryMs, () => child.connected && child.disconnect());
		ask(child);
		await ended;
		late.cancel();
	}
}

function isCertificate(secret: Secret | undefined): boolean {
	return secret?.type === "kubernetes.io/tls";
}

function send(child: ChildProcess, order: IngressOrder, handle?: Awaited<ReturnType<typeof bind>>): Promise<void> {
	return new Promise((resolve, reject) =>
		child.send(order, handle, (error) => (error === null ? resolve() : reject(error))),
	);
}
