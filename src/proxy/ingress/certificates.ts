/** Certificates of Ingresses by host. */
import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { messageOf } from "../../core/errors.ts";
import type { Ingress } from "../../kinds/generated/types.ts";
import { byAge, wildcardOf } from "./routes.ts";

/** In PEM. */
export interface Certificate {
	cert: string;
	key: string;
}

/** By `NAMESPACE/NAME` of their Secrets. */
export type CertificateSource = Readonly<Record<string, Certificate>>;

/** Keys of the Secrets that an Ingress names. */
export function secretsOf({ metadata, spec }: Ingress): string[] {
	return (spec.tls ?? []).flatMap(({ secretName = "" }) =>
		secretName === "" ? [] : [`${metadata.namespace}/${secretName}`],
	);
}

/** Undefined if it is usable. */
export function problemOf(certificate: Certificate): string | undefined {
	try {
		new X509Certificate(certificate.cert);
		createSecureContext(certificate);
		return undefined;
	} catch (error) {
		return messageOf(error);
	}
}

export class Certificates {
	/** Key of a Secret by host, `*.domain`, and `` for clients that name none. */
	readonly #hosts = new Map<string, string>();
	readonly #source: CertificateSource;
	/** They take a millisecond to make. Undefined for unusable ones. */
	readonly #contexts = new Map<string, SecureContext | undefined>();

	constructor(ingresses: Iterable<Ingress>, source: CertificateSource) {
		this.#source = source;
		for (const { metadata, spec } of [...ingresses].sort(byAge)) {
			for (const { hosts = [], secretName = "" } of spec.tls ?? []) {
				if (secretName === "") continue;
				const key = `${metadata.namespace}/${secretName}`;
				const own = (spec.rules ?? []).map(({ host = "" }) => host);
				for (const host of [...(hosts.length === 0 ? own : hosts), ""])
					if (!this.#hosts.has(host)) this.#hosts.set(host, key);
			}
		}
	}

	/** For clients that name no host: that of the oldest Ingress. Undefined if there is no usable one. */
	get usual(): Certificate | undefined {
		const certificate = this.#source[this.#hosts.get("") ?? ""];
		return certificate === undefined || problemOf(certificate) !== undefined ? undefined : certificate;
	}

	/**
	 * @param host as the client names it
	 * @returns undefined if there is no usable one
	 */
	contextOf(host: string): SecureContext | undefined {
		const name = host.toLowerCase();
		const key = this.#hosts.get(name) ?? this.#hosts.get(wildcardOf(name) ?? "-");
		const certificate = key === undefined ? undefined : this.#source[key];
		if (key === undefined || certificate === undefined) return undefined;
		if (!this.#contexts.has(key)) {
			const isUsable = problemOf(certificate) === undefined;
			this.#contexts.set(key, isUsable ? createSecureContext(certificate) : undefined);
		}
		return this.#contexts.get(key);
	}
}
