/**
 * Adds a token without an expiry to Secrets whose type requests one (Kubernetes documentation, "Managing Service
 * Accounts"), and deletes those whose account was deleted.
 */

import { sameJson } from "../../core/equal.ts";
import { objectKey, parseKey } from "../../core/object.ts";
import { secrets } from "../../kinds/core/secret.ts";
import { serviceAccounts } from "../../kinds/core/serviceaccount.ts";
import type { Secret, ServiceAccount } from "../../kinds/generated/types.ts";
import { confirm, confirmAbsent, remove, update } from "../runtime/actions.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";

const tokenType = "kubernetes.io/service-account-token";
const nameAnnotation = "kubernetes.io/service-account.name";
const uidAnnotation = "kubernetes.io/service-account.uid";

/** A token of an account that is valid as long as the Secret that contains it. */
export type SignSecretToken = (account: ServiceAccount, secret: Secret) => string;

export interface TokenSecretState {
	secret: Secret;
	/** The account that the Secret names; undefined if it was deleted. */
	account: ServiceAccount | undefined;
}

/** @param certificate PEM, of the cluster's certificate authority */
export function serviceAccountTokenController(
	certificate: string,
	sign: SignSecretToken,
): Controller<TokenSecretState> {
	return {
		name: "serviceaccount-token",
		component: "tokens-controller",
		account: "system:kube-controller-manager",
		watches: [
			watchRule(secrets, (current) => (current?.type === tokenType ? [objectKey(current)] : [])),
			watchRule(serviceAccounts, (current, old, informers) => {
				const { namespace, name } = (current ?? old)?.metadata ?? {};
				if (current !== undefined && old !== undefined) return [];
				const named = [...informers.of(secrets).list(namespace)].filter((secret) => accountName(secret) === name);
				return named.map(objectKey);
			}),
		],
		gather(key, informers) {
			const { namespace, name } = parseKey(key);
			const secret = informers.of(secrets).get(namespace, name);
			if (secret?.type !== tokenType || secret.metadata.deletionTimestamp !== undefined) return undefined;
			const account = informers.of(serviceAccounts).get(namespace, accountName(secret) ?? "");
			const uid = secret.metadata.annotations?.[uidAnnotation];
			const isMeant = uid === undefined || uid === "" || account?.metadata.uid === uid;
			return { secret, account: isMeant ? account : undefined };
		},
		plan({ secret, account }) {
			const { namespace, annotations } = secret.metadata;
			if (account === undefined) {
				const ref = { namespace, name: accountName(secret) ?? "" };
				const uid = annotations?.[uidAnnotation] || undefined;
				return { actions: [confirmAbsent(serviceAccounts, ref, uid), remove(secrets, secret)] };
			}
			const data = {
				...secret.data,
				"ca.crt": base64(certificate),
				namespace: secret.data?.["namespace"] || base64(namespace ?? ""),
				token: secret.data?.["token"] || base64(sign(account, secret)),
			};
			const metadata = { ...secret.metadata, annotations: { ...annotations, [uidAnnotation]: account.metadata.uid } };
			if (sameJson({ data, metadata }, { data: secret.data, metadata: secret.metadata })) return { actions: [] };
			return { actions: [confirm(serviceAccounts, account), update(secrets, { ...secret, metadata, data })] };
		},
	};
}

function accountName({ type, metadata }: Secret): string | undefined {
	return type === tokenType ? metadata.annotations?.[nameAnnotation] : undefined;
}

function base64(text: string): string {
	return Buffer.from(text).toString("base64");
}
