/** Encryption at rest of a cluster in a data directory: the keys, what they encrypt, and their rotation. */

import { createHash } from "node:crypto";
import { keyPrefix } from "../../api/cache/keys.ts";
import { messageOf } from "../../core/errors.ts";
import { historyRoot } from "../../history/records/keys.ts";
import { notifyRoot } from "../../notify/outbox/outbox.ts";
import { Encryption, type EncryptionRule } from "../../store/encryption.ts";
import type { Store } from "../../store/store.ts";
import { readOptionFile } from "../files/option-file.ts";
import { type EncryptionPlan, encryptionPlan } from "./configuration.ts";
import { keyFile, newKey, type OwnKeys, readOwnKeys, writeOwnKeys } from "./key-file.ts";
import { rewrite } from "./rewrite.ts";

const secrets = keyPrefix({ group: "", plural: "secrets" });
const everything = "/objects/";

/** The part of a configuration that the settings keep. */
export interface EncryptionSettings {
	/** Absolute path of an EncryptionConfiguration. */
	file: string;
	/** Digest of the content used last: after a change everything is written again. */
	digest: string;
}

export class EncryptionAtRest {
	readonly encryption: Encryption;
	readonly #pki: string;
	readonly #plan: EncryptionPlan | undefined;
	/** Newest first. */
	#ownKeys: OwnKeys;
	/** Not on disk yet. */
	#isNew: boolean;
	#rotation: Promise<number> | undefined;

	/**
	 * @param options.pki directory of the cluster's own keys
	 * @param options.plan a configuration that replaces them
	 * @param options.former a configuration with which values may have been written
	 * @throws Error if the keys cannot be read
	 */
	constructor(options: { pki: string; plan?: EncryptionPlan | undefined; former?: EncryptionPlan | undefined }) {
		this.#pki = options.pki;
		this.#plan = options.plan;
		const found = readOwnKeys(options.pki);
		this.#isNew = found === undefined;
		this.#ownKeys = found ?? [newKey()];
		this.encryption = new Encryption(this.#rules(), this.#keys(options.former));
	}

	/**
	 * A configuration determines what it names; Secrets that it does not name are encrypted with the cluster's own key.
	 */
	#rules(): readonly EncryptionRule[] {
		return [...(this.#plan?.rules ?? []), { prefixes: [secrets], writeKey: this.#ownKeys[0] }];
	}

	#keys(former?: EncryptionPlan) {
		return [...this.#ownKeys, ...(this.#plan?.keys ?? []), ...(former?.keys ?? [])];
	}

	/**
	 * Called before the store is used and before anything is written: rewrites values to their current form, and
	 * completes an interrupted rotation.
	 * @param changed whether the configuration has changed since the last start
	 * @returns whether a value was unencrypted, which may still be in free pages of the store's file
	 */
	async prepare(store: Store, changed: boolean): Promise<boolean> {
		if (this.#isNew) {
			await this.#checkReadable(store);
			// On disk before anything is encrypted with it.
			writeOwnKeys(this.#pki, this.#ownKeys);
			this.#isNew = false;
		}
		const { hadPlain } = await rewrite(
			store,
			this.encryption,
			changed ? [everything, historyRoot, notifyRoot] : [secrets],
		);
		if (this.#ownKeys.length > 1) await this.#dropOldKeys(store);
		return hadPlain;
	}

	/**
	 * A lost key cannot be replaced by a new one.
	 * @throws Error that says what to do
	 */
	async #checkReadable(store: Store): Promise<void> {
		const { entries } = await store.range({ from: secrets, to: `${secrets}\uffff` });
		for (const { key, value } of entries) {
			try {
				this.encryption.open(key, value);
			} catch (error) {
				const message = messageOf(error);
				throw new Error(
					`${message}; put ${keyFile(this.#pki)} back, or restore a snapshot that has the keys ('cox snapshot restore')`,
				);
			}
		}
	}

	/**
	 * Creates a new key, rewrites every Secret with it, and deletes the old key. A crash at any time keeps all keys that
	 * are in use; the next start continues.
	 * @param store the underlying store
	 * @returns the number of Secrets written
	 */
	rotate(store: Store): Promise<number> {
		this.#rotation ??= this.#rotate(store).finally(() => {
			this.#rotation = undefined;
		});
		return this.#rotation;
	}

	async #rotate(store: Store): Promise<number> {
		const keys: OwnKeys = [newKey(), ...this.#ownKeys];
		writeOwnKeys(this.#pki, keys);
		this.#ownKeys = keys;
		this.encryption.use(this.#rules(), this.#keys());
		const { count } = await rewrite(store, this.encryption, [secrets]);
		await this.#dropOldKeys(store);
		return count;
	}

	async #dropOldKeys(store: Store): Promise<void> {
		// Commits that were in progress when the keys changed are complete before this.
		await rewrite(store, this.encryption, [secrets]);
		await store.compact(await store.revision());
		this.#ownKeys = [this.#ownKeys[0]];
		writeOwnKeys(this.#pki, this.#ownKeys);
		this.encryption.use(this.#rules(), this.#keys());
	}

	/** Whether the cluster's own key writes Secrets. */
	get usesOwnKey(): boolean {
		return this.#plan?.rules.some(({ prefixes }) => prefixes.some((prefix) => secrets.startsWith(prefix))) !== true;
	}
}

/** @throws Error if the file cannot be read or is invalid */
export function readEncryptionFile(file: string): { plan: EncryptionPlan; digest: string } {
	const { text, meaning } = readOptionFile("--encryption-provider-config", file, encryptionPlan);
	return { plan: meaning, digest: createHash("sha256").update(text).digest("hex") };
}
