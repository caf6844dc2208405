/** Keeps the certificates of a running server valid. */

import { X509Certificate } from "node:crypto";
import { messageOf } from "../../core/errors.ts";
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { Certificates } from "./certificates.ts";

/**
 * On the machine's monotonic clock; certificates are compared with the wall clock, which may have been set, or have
 * stopped while the machine slept.
 */
const lookMs = 3600 * 1000;
const dayMs = 24 * lookMs;
/** The authority is not renewed, because every client has it. Warnings start this long before it expires. */
const authorityNoticeMs = 365 * dayMs;

export interface RenewalOptions {
	current: Certificates;
	/** Gives the present certificates, with new ones for those that are to be replaced: `ensureCertificates`. */
	ensure(nowMs: number): Certificates;
	/** Those who serve or hand out certificates take the new ones. Connections that are open stay. */
	use(certificates: Certificates): void;
	/** For the log. */
	report(text: string): void;
	/** The clock by which certificates are valid. */
	clock: Clock;
}

export class CertificateRenewal {
	readonly #options: RenewalOptions;
	#current: Certificates;
	#timer: Timer | undefined;
	#reportedMs = Number.NEGATIVE_INFINITY;
	#stopped = false;

	constructor(options: RenewalOptions) {
		this.#options = options;
		this.#current = options.current;
		this.#noticeAuthority();
		this.#wait();
	}

	/** A warning about the authority; undefined while its expiry is far. */
	get warning(): string | undefined {
		return authorityWarning(this.#current.authority.ca, this.#options.clock.now());
	}

	stop(): void {
		this.#stopped = true;
		this.#timer?.cancel();
	}

	#wait(): void {
		if (this.#stopped) return;
		this.#timer = this.#options.clock.after(lookMs, () => {
			this.look();
			this.#wait();
		});
	}

	/** Replaces what is due. A failure is reported; the next look tries again. */
	look(): void {
		const { clock, ensure, use, report } = this.#options;
		this.#noticeAuthority();
		try {
			const next = ensure(clock.now());
			const isNew = next.server.cert !== this.#current.server.cert || next.admin.cert !== this.#current.admin.cert;
			if (!isNew || this.#stopped) return;
			this.#current = next;
			use(next);
			report(`certificates were renewed; the server's is valid until ${new X509Certificate(next.server.cert).validTo}`);
		} catch (error) {
			report(`certificates could not be renewed: ${messageOf(error)}`);
		}
	}

	#noticeAuthority(): void {
		const { clock, report } = this.#options;
		const { warning } = this;
		if (warning === undefined || Math.abs(clock.now() - this.#reportedMs) < dayMs) return;
		this.#reportedMs = clock.now();
		report(warning);
	}
}

/** @param ca PEM */
export function authorityWarning(ca: string, nowMs: number): string | undefined {
	const { validTo } = new X509Certificate(ca);
	const leftMs = Date.parse(validTo) - nowMs;
	if (leftMs > authorityNoticeMs) return undefined;
	const end = leftMs > 0 ? `ends on ${validTo}` : `ended on ${validTo}`;
	return `the cluster's certificate authority ${end}: no client will trust the server then; delete pki/ca.* and pki/*.crt while the cluster is down, start it, and take its new kubeconfig`;
}
