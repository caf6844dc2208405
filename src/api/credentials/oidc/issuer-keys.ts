/**
 * The published keys of an issuer of tokens (OpenID Connect Discovery 1.0): fetched when first needed, and kept.
 */

import type { JSONWebKeySet, LocalJWKSet } from "jose";
import { messageOf } from "../../../core/errors.ts";
import type { Clock } from "../../../core/time/clock.ts";
import type { JwtAuthenticator } from "./configuration.ts";
import { fetchJson } from "./fetch-json.ts";

/**
 * Keys are fetched again after this time, and immediately for a token with an unknown key, but not more often than
 * that.
 */
const freshMs = 3_600_000;
const coolDownMs = 10_000;
/** The maximum number of requests that wait for a slow issuer. */
const waiterLimit = 200;

export class IssuerKeys {
	readonly #issuer: JwtAuthenticator["issuer"];
	readonly #clock: Clock;
	#keys: LocalJWKSet | undefined;
	#fetchedMs = Number.NEGATIVE_INFINITY;
	#triedMs = Number.NEGATIVE_INFINITY;
	#fetching: Promise<void> | undefined;
	#failure = "it has not been asked yet";
	#waiterCount = 0;

	/** @param clock only its monotonic time is read */
	constructor(issuer: JwtAuthenticator["issuer"], clock: Clock) {
		this.#issuer = issuer;
		this.#clock = clock;
	}

	/** @throws Error if they are not available now, without waiting for the next retry */
	async get(): Promise<LocalJWKSet> {
		const nowMs = this.#clock.monotonicMs();
		// Old keys are used while the issuer cannot be reached.
		if (this.#keys !== undefined && nowMs - this.#fetchedMs > freshMs) void this.#fetch();
		if (this.#keys === undefined) await this.#fetch();
		if (this.#keys === undefined)
			throw new Error(
				`authenticator for issuer ${JSON.stringify(this.#issuer.url)} is not initialized: ${this.#failure}`,
			);
		return this.#keys;
	}

	/** Fetches newer keys after a token with an unknown one. */
	async renew(known: LocalJWKSet): Promise<LocalJWKSet | undefined> {
		if (this.#keys === known) await this.#fetch();
		return this.#keys === known ? undefined : this.#keys;
	}

	async #fetch(): Promise<void> {
		const nowMs = this.#clock.monotonicMs();
		if (this.#fetching === undefined) {
			if (nowMs - this.#triedMs < coolDownMs) return;
			this.#triedMs = nowMs;
			this.#fetching = this.#ask().finally(() => {
				this.#fetching = undefined;
			});
		}
		if (this.#waiterCount >= waiterLimit) return;
		this.#waiterCount++;
		try {
			await this.#fetching;
		} finally {
			this.#waiterCount--;
		}
	}

	/** Never rejects. */
	async #ask(): Promise<void> {
		const { url, discoveryUrl, certificateAuthority: authority } = this.#issuer;
		try {
			const place = discoveryUrl ?? `${url.replace(/\/$/, "")}/.well-known/openid-configuration`;
			const { issuer, jwks_uri } = ((await fetchJson(place, authority)) ?? {}) as Record<string, unknown>;
			if (issuer !== url) throw new Error(`${place} is about ${JSON.stringify(issuer)}`);
			if (typeof jwks_uri !== "string" || !jwks_uri.startsWith("https://"))
				throw new Error(`${place} has no jwks_uri of https`);
			const { createLocalJWKSet } = await import("jose");
			// That rejects anything but a key set.
			this.#keys = createLocalJWKSet((await fetchJson(jwks_uri, authority)) as JSONWebKeySet);
			this.#fetchedMs = this.#clock.monotonicMs();
		} catch (error) {
			this.#failure = messageOf(error);
		}
	}
}
