/** Deletes bootstrap tokens that have expired (Kubernetes documentation, "Authenticating with Bootstrap Tokens"). */

import { objectKey, parseKey } from "../../core/object.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import { secrets } from "../../kinds/core/secret.ts";
import type { Secret } from "../../kinds/generated/types.ts";
import { confirm, remove } from "../runtime/actions.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";

const namespace = "kube-system";
const tokenType = "bootstrap.kubernetes.io/token";

export const tokenCleanerController: Controller<Secret> = {
	name: "token-cleaner",
	component: "token-cleaner",
	watches: [
		watchRule(secrets, (current) =>
			current?.type === tokenType && current.metadata.namespace === namespace ? [objectKey(current)] : [],
		),
	],
	gather(key, informers) {
		const { namespace, name } = parseKey(key);
		const secret = informers.of(secrets).get(namespace, name);
		return secret?.type === tokenType && secret.metadata.deletionTimestamp === undefined ? secret : undefined;
	},
	plan(secret, { nowMs }) {
		const atMs = expiresAtMs(secret);
		if (atMs === undefined) return { actions: [] };
		if (atMs > nowMs) return { actions: [], requeueAtMs: atMs };
		const { uid, resourceVersion } = secret.metadata;
		// With the resourceVersion that was checked: a token whose expiry is extended concurrently is kept.
		return {
			actions: [
				confirm(secrets, secret),
				remove(secrets, secret, { options: { preconditions: { uid, resourceVersion } } }),
			],
		};
	},
};

/**
 * Epoch milliseconds; undefined for a token without an expiry. An invalid time counts as expired, as in authentication.
 */
function expiresAtMs({ data }: Secret): number | undefined {
	const encoded = data?.["expiration"];
	if (encoded === undefined || encoded === "") return undefined;
	const atMs = parseTimestamp(Buffer.from(encoded, "base64").toString());
	return Number.isNaN(atMs) ? Number.NEGATIVE_INFINITY : atMs;
}
