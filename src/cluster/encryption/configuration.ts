/**
 * Upstream's `EncryptionConfiguration` (apiserver.config.k8s.io/v1): what is encrypted at rest, and with which keys.
 */
import { keyPrefix } from "../../api/cache/keys.ts";
import type { Cause } from "../../core/errors.ts";
import { ConfigField, causesText } from "../../core/validation/config-field.ts";
import { forbidden, invalidValue, required, typeInvalid } from "../../core/validation/field-errors.ts";
import { historyRoot } from "../../history/records/keys.ts";
import { runs } from "../../kinds/history/run.ts";
import { notificationPolicies } from "../../kinds/notify/notificationpolicy.ts";
import { notifyRoot } from "../../notify/outbox/outbox.ts";
import type { EncryptionKey, EncryptionRule } from "../../store/encryption.ts";

/** The parsed configuration. */
export interface EncryptionPlan {
	rules: readonly EncryptionRule[];
	/** All keys of the configuration: values may have been written with any of them. */
	keys: readonly EncryptionKey[];
}

/** Data that are not objects are encrypted with the kind that they belong to. */
const companions = [
	{ of: keyPrefix(runs), root: historyRoot },
	{ of: keyPrefix(notificationPolicies), root: notifyRoot },
];
const secretSizes = [16, 24, 32];

/** @throws Error that names every invalid field, and unsupported providers */
export function encryptionPlan(document: unknown): EncryptionPlan {
	const causes: Cause[] = [];
	const root = new ConfigField(document, causes);
	root.knows(["apiVersion", "kind", "resources"]);
	root.expectType(["apiserver.config.k8s.io/v1"], "EncryptionConfiguration");
	const keys = new Map<string, EncryptionKey>();
	const rules = filled(root.field("resources")).map((entry): EncryptionRule => {
		entry.knows(["resources", "providers"]);
		const named = filled(entry.field("resources")).map((resource) => prefixOf(resource.text()));
		const along = companions.filter(({ of }) => named.some((prefix) => of.startsWith(prefix)));
		const prefixes = [...named, ...along.map(({ root }) => root)];
		const providers = filled(entry.field("providers")).map(providerKeys);
		for (const key of providers.flat()) {
			const known = keys.get(key.name);
			if (known !== undefined && Buffer.compare(known.secret, key.secret) !== 0)
				entry.wrong(invalidValue(entry.field("providers").path, key.name, "two keys have this name"));
			keys.set(key.name, key);
		}
		return { prefixes, writeKey: providers[0]?.[0] };
	});
	if (causes.length > 0) throw new Error(causesText(causes));
	return { rules, keys: [...keys.values()] };
}

/** The first key of a provider is used for writing; none for `identity`. */
function providerKeys(provider: ConfigField): EncryptionKey[] {
	const [name = "", ...more] = provider.names();
	if (name === "" || more.length > 0) {
		provider.wrong(typeInvalid(provider.path, "must be one provider"));
		return [];
	}
	if (name === "identity") return [];
	if (name !== "aesgcm") {
		const detail = `provider ${name} is not supported; aesgcm and identity are (see docs/operating.md)`;
		provider.wrong(forbidden(provider.path, detail));
		return [];
	}
	return filled(provider.field("aesgcm").field("keys")).flatMap((key) => {
		key.knows(["name", "secret"]);
		const [keyName, secret] = [key.field("name"), key.field("secret")];
		const bytes = Buffer.from(secret.text(), "base64");
		if (keyName.text() === "" || keyName.text().includes(":"))
			keyName.wrong(invalidValue(keyName.path, keyName.value, "must be a name without a colon"));
		// The message does not contain the value, which may be a mistyped key.
		if (!secretSizes.includes(bytes.length))
			secret.wrong(typeInvalid(secret.path, "must be 16, 24 or 32 bytes in base64"));
		return [{ name: keyName.text(), secret: bytes }];
	});
}

function filled(list: ConfigField): ConfigField[] {
	const items = list.list();
	if (items.length === 0) list.wrong(required(list.path));
	return items;
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
