/** Follows Ingresses and what they name, for the servers of Ingresses, and writes their status. */
import type { SecureContext } from "node:tls";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/events/recorder.ts";
import type { Informer, InformerCache } from "../../client/informer-cache.ts";
import { sameJson } from "../../core/equal.ts";
import { isReason } from "../../core/errors.ts";
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { Ingress, IngressClass, IngressLoadBalancerIngress, Service } from "../../kinds/generated/types.ts";
import { endpointSlices } from "../../kinds/networking/endpointslice.ts";
import { ingresses } from "../../kinds/networking/ingress.ts";
import { ingressClasses } from "../../kinds/networking/ingressclass.ts";
import { services } from "../../kinds/networking/service.ts";
import { indexSlices, slicesOf } from "../dns-view.ts";
import { type Endpoint, endpointsOf } from "./backends.ts";
import { type Certificate, type CertificateSource, Certificates, problemOf, secretsOf } from "./certificates.ts";
import { isServed } from "./class.ts";
import { type Backend, Routes } from "./routes.ts";
import type { IngressView } from "./server.ts";

/** Changes are collected for this time. */
const gatherMs = 20;
const retryMs = 1000;

export interface IngressControllerOptions {
	informers: InformerCache;
	client: Client;
	events: EventRecorder;
	clock: Clock;
	/** At first. */
	certificates: CertificateSource;
	/** Where Ingresses are served, for their status. */
	address: IngressLoadBalancerIngress;
	/** Called with the certificate for clients that name no host; undefined: there is none, or none any more. */
	usualCertificate(certificate: Certificate | undefined): void;
	onError(error: unknown): void;
}

export class IngressController implements IngressView {
	readonly #options: IngressControllerOptions;
	readonly #classes: Informer<IngressClass>;
	readonly #ingresses: Informer<Ingress>;
	readonly #services: Informer<Service>;
	#certificates: CertificateSource;
	/** Made from the Ingresses when the first request after a change needs them. */
	#tables: { routes: Routes; certificates: Certificates } | undefined;
	/** Endpoints of backends, by their JSON, and which one is next; forgotten with every change. */
	readonly #endpoints = new Map<string, { found: Endpoint[] | string; next: number }>();
	/** What was said last about an Ingress, by UID. */
	readonly #said = new Map<string, string>();
	#timer: Timer | undefined;
	#pass: Promise<void> = Promise.resolve();
	#isFinished = false;

	constructor(options: IngressControllerOptions) {
		const { informers } = options;
		this.#options = options;
		this.#certificates = options.certificates;
		this.#classes = informers.of(ingressClasses);
		this.#ingresses = informers.of(ingresses);
		this.#services = informers.of(services);
		const slices = informers.of(endpointSlices);
		indexSlices(slices);
		this.#classes.onChange(() => this.#changed());
		this.#ingresses.onChange(() => this.#changed());
		this.#services.onChange(() => this.#endpoints.clear());
		slices.onChange(() => this.#endpoints.clear());
	}

	endpoints(host: string, path: string): readonly Endpoint[] | { status: number; why: string } {
		const backend = this.#current().routes.backendOf(host, path);
		if (backend === undefined) return { status: 404, why: `no Ingress is for host '${host}' and path '${path}'` };
		const key = JSON.stringify(backend);
		const known = this.#endpoints.get(key) ?? { found: this.#find(backend), next: 0 };
		this.#endpoints.set(key, known);
		const { found } = known;
		if (typeof found === "string") return { status: 503, why: found };
		known.next = (known.next + 1) % found.length;
		return [...found.slice(known.next), ...found.slice(0, known.next)];
	}

	secureContext(host: string): SecureContext | undefined {
		return this.#current().certificates.contextOf(host);
	}

	/** Replaces those that Ingresses name. */
	certify(certificates: CertificateSource): void {
		this.#certificates = certificates;
		this.#changed();
	}

	/** Serves nothing from now on; resolves when no Ingress has the address any more. */
	finish(): Promise<void> {
		this.#isFinished = true;
		this.#tables = undefined;
		this.#begin();
		return this.#pass;
	}

	#find(backend: Backend): Endpoint[] | string {
		const slices = this.#options.informers.of(endpointSlices);
		return endpointsOf(
			{
				service: (namespace, name) => this.#services.get(namespace, name),
				slices: (namespace, name) => slicesOf(slices, namespace, name),
			},
			backend,
		);
	}

	#current() {
		this.#tables ??= this.#makeTables();
		return this.#tables;
	}

	#makeTables() {
		const served = [...this.#ingresses.list()].filter((ingress) => this.#serves(ingress));
		return { routes: new Routes(served), certificates: new Certificates(served, this.#certificates) };
	}

	#serves(ingress: Ingress): boolean {
		return !this.#isFinished && isServed(ingress, (name) => this.#classes.get(undefined, name));
	}

	#changed(): void {
		this.#tables = undefined;
		this.#ask(gatherMs);
	}

	#ask(delayMs: number): void {
		this.#timer ??= this.#options.clock.after(delayMs, () => {
			this.#timer = undefined;
			this.#begin();
		});
	}

	/** One after the other. */
	#begin(): void {
		this.#pass = this.#pass.then(() => this.#report()).catch((error) => this.#options.onError(error));
	}

	async #report(): Promise<void> {
		await Promise.all([this.#classes, this.#ingresses].map((informer) => informer.reached(0)));
		this.#options.usualCertificate(this.#current().certificates.usual);
		for (const ingress of this.#ingresses.list()) {
			try {
				await this.#writeStatus(ingress);
				if (this.#serves(ingress)) this.#warn(ingress);
			} catch (error) {
				// It is deleted, or changed by somebody whose change comes here, too.
				if (isReason(error, "NotFound") || isReason(error, "Conflict")) continue;
				this.#options.onError(error);
				this.#ask(retryMs);
			}
		}
	}

	/** An Ingress that is served no longer loses the address, unless another controller has given it its own. */
	async #writeStatus(ingress: Ingress): Promise<void> {
		const { client, address } = this.#options;
		const current = ingress.status?.loadBalancer?.ingress ?? [];
		const isOwn = current.length === 1 && current[0]?.ip === address.ip;
		const wanted = this.#serves(ingress) ? [address] : isOwn ? [] : current;
		if (sameJson(current, wanted)) return;
		const { namespace = "", name, resourceVersion } = ingress.metadata;
		const patch = { metadata: { resourceVersion }, status: { loadBalancer: { ingress: wanted } } };
		await client.patch(ingresses, { namespace, name }, { type: "merge", patch }, "status");
	}

	/** Once for each problem. */
	#warn(ingress: Ingress): void {
		const problem = this.#problemOf(ingress);
		const { uid } = ingress.metadata;
		if (problem !== undefined && this.#said.get(uid) !== problem)
			this.#options.events.record({
				regarding: ingress,
				type: "Warning",
				reason: "Rejected",
				message: problem,
				component: "ingress-controller",
			});
		if (problem === undefined) this.#said.delete(uid);
		else this.#said.set(uid, problem);
	}

	#problemOf(ingress: Ingress): string | undefined {
		const { spec } = ingress;
		const backends = [
			spec.defaultBackend,
			...(spec.rules ?? []).flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend)),
		];
		if (backends.some((backend) => backend?.resource !== undefined)) return "Only Services are supported as backends";
		for (const key of secretsOf(ingress)) {
			const name = key.slice(key.indexOf("/") + 1);
			const certificate = this.#certificates[key];
			if (certificate === undefined) return `Secret ${name} of type kubernetes.io/tls does not exist`;
			const problem = problemOf(certificate);
			if (problem !== undefined) return `Secret ${name} is not usable: ${problem}`;
		}
		return undefined;
	}
}
