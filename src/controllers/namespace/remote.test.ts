/** Namespaces with objects of extension API servers. */
import { expect, test } from "vitest";
import { noRemoteResources, type RemoteResources, remoteKind } from "../../kinds/apiregistration/remote-kind.ts";
import type { Namespace } from "../../kinds/generated/types.ts";
import { plan } from "./plan.ts";

const namespace: Namespace = {
	apiVersion: "v1",
	kind: "Namespace",
	metadata: {
		name: "lab",
		uid: "u",
		resourceVersion: "1",
		creationTimestamp: "",
		deletionTimestamp: "2026-01-01T00:00:00Z",
	},
	spec: { finalizers: ["kubernetes"] },
};
const flunders = remoteKind({
	group: "wardle.example.com",
	version: "v1alpha1",
	kind: "Flunder",
	plural: "flunders",
	singular: "flunder",
});

function planned(remote: Partial<RemoteResources>) {
	const state = { namespace, content: [], kinds: [], remote: { ...noRemoteResources, ...remote } };
	return plan(state, { nowMs: 0, random: () => 0, waitedMs: 0 });
}

test("what extension API servers serve is deleted, and looked for, before a namespace goes", () => {
	const { actions } = planned({ namespaced: [flunders] });
	expect(actions.map((action) => action.do)).toEqual([
		"updateStatus",
		"deleteAll",
		"confirmNone",
		"deleteAll",
		"update",
	]);
	expect(actions[1]).toEqual({ do: "deleteAll", kind: flunders, namespace: "lab" });
	expect(actions[2]).toMatchObject({ kinds: [flunders] });
});

test("a namespace stays while a server does not say what it serves; the others' objects go", () => {
	const { actions, requeueAfterMs } = planned({ namespaced: [flunders], stale: ["x.example.com/v1"] });
	expect(actions.map((action) => action.do)).toEqual(["updateStatus", "deleteAll"]);
	expect(requeueAfterMs).toBeGreaterThan(0);
	expect(actions[0]).toMatchObject({
		object: {
			status: {
				conditions: [
					{
						type: "NamespaceDeletionDiscoveryFailure",
						status: "True",
						reason: "DiscoveryFailed",
						message:
							"Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: x.example.com/v1: stale GroupVersion discovery: x.example.com/v1",
					},
					{},
					{},
					{},
					{},
				],
			},
		},
	});
});
