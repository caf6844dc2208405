/** Upstream's `EncryptionConfiguration` (apiserver.config.k8s.io/v1): what is encrypted at rest, and with which keys. */
import { keyPrefix } from "../../api/cache/keys.ts";
import { yamlLibrary } from "../../core/yaml-library.ts";
import type { EncryptionKey, EncryptionRule } from "../../store/encryption.ts";

/** What a configuration asks for. */
export interface EncryptionPlan {
	rules: readonly EncryptionRule[];
	/** All keys of the configuration: values may have been written with any. */
	keys: readonly EncryptionKey[];
}

const secretSizes = [16, 24, 32];

/**
 * @param text YAML or JSON
 * @param file names the configuration in messages
 * @throws Error that names the field, for what is wrong and for providers that are not there
 */
export function parseEncryptionConfiguration(text: string, file: string): EncryptionPlan {
	const fail = (message: string): never => {
		throw new Error(`${file}: ${message}`);
	};
	const [document, ...more] = yamlLibrary().parseAllDocuments(text);
	if (document === undefined || more.length > 0 || document.errors.length > 0)
		return fail(`wanted one YAML document (${document?.errors[0]?.message ?? `there are ${more.length + 1}`})`);
	const root: unknown = document.toJS();
	if (!isRecord(root)) return fail("wanted an EncryptionConfiguration");
	if (root["apiVersion"] !== "apiserver.config.k8s.io/v1" || root["kind"] !== "EncryptionConfiguration")
		return fail("wanted apiVersion: apiserver.config.k8s.io/v1, kind: EncryptionConfiguration");
	const keys = new Map<string, EncryptionKey>();
	const rules = list(root["resources"], "resources", fail).map((entry, index): EncryptionRule => {
		const at = `resources[${index}]`;
		if (!isRecord(entry)) return fail(`${at}: wanted resources and providers`);
		const prefixes = list(entry["resources"], `${at}.resources`, fail).map((resource) =>
			typeof resource === "string" ? prefixOf(resource) : fail(`${at}.resources: wanted names`),
		);
		const providers = list(entry["providers"], `${at}.providers`, fail).map((provider, number) =>
			providerKeys(provider, `${at}.providers[${number}]`, fail),
		);
		for (const key of providers.flat()) {
			const known = keys.get(key.name);
			if (known !== undefined && Buffer.compare(known.secret, key.secret) !== 0)
				fail(`${at}.providers: two keys have the name ${key.name}`);
			keys.set(key.name, key);
		}
		return { prefixes, writeKey: providers[0]?.[0] };
	});
	return { rules, keys: [...keys.values()] };
}

/** The first of a provider's keys writes; none for `identity`. */
function providerKeys(provider: unknown, at: string, fail: (message: string) => never): EncryptionKey[] {
	const [name, ...more] = isRecord(provider) ? Object.keys(provider) : [];
	if (!isRecord(provider) || name === undefined || more.length > 0) return fail(`${at}: wanted one provider`);
	if (name === "identity") return [];
	if (name !== "aesgcm")
		return fail(`${at}: provider ${name} is not supported; aesgcm and identity are (see docs/operating.md)`);
	const settings = provider[name];
	const keys = list(isRecord(settings) ? settings["keys"] : undefined, `${at}.aesgcm.keys`, fail);
	return keys.map((key, index) => {
		const where = `${at}.aesgcm.keys[${index}]`;
		if (!isRecord(key)) return fail(`${where}: wanted name and secret`);
		const { name: keyName, secret } = key;
		if (typeof keyName !== "string" || keyName === "" || keyName.includes(":"))
			return fail(`${where}.name: wanted a name without a colon`);
		const bytes = typeof secret === "string" ? Buffer.from(secret, "base64") : Buffer.alloc(0);
		if (!secretSizes.includes(bytes.length)) return fail(`${where}.secret: wanted 16, 24 or 32 bytes in base64`);
		return { name: keyName, secret: bytes };
	});
}

/** Of `secrets`, `deployments.apps`, `*.apps`, `*.` (the core group) and `*.*`. */
function prefixOf(resource: string): string {
	const dot = resource.indexOf(".");
	const plural = dot < 0 ? resource : resource.slice(0, dot);
	const group = dot < 0 ? "" : resource.slice(dot + 1);
	const whole = keyPrefix({ group, plural: "" }).replace(/\/\/$/, "/");
	if (plural !== "*") return keyPrefix({ group, plural });
	return group === "*" ? whole.replace(/\*\/$/, "") : whole;
}

function list(value: unknown, at: string, fail: (message: string) => never): readonly unknown[] {
	return Array.isArray(value) && value.length > 0 ? value : fail(`${at}: wanted a list that is not empty`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
