import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { conformance, type Json, json, merge, type Namespace } from "./harness.ts";
import { allReady, probe, scale, setOf, start } from "./web-set.ts";

const nameOf = ({ metadata }: Json): string => metadata.name;

conformance("volume claims of a StatefulSet", "shared", (target) => {
	const claims = {
		volumeClaimTemplates: [
			{
				metadata: { name: "datadir" },
				spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
			},
		],
	};
	const mounted = { readinessProbe: probe, volumeMounts: [{ name: "datadir", mountPath: "/data/" }] };
	const names = async (space: Namespace) =>
		(await target().get(space.core("persistentvolumeclaims"))).items.map((claim: Json) => claim.metadata.name);

	test.concurrent("claims go with the set, or when it is scaled down, as its policy says", async () => {
		await using space = await target().namespace("ss-claims");
		const policy = { whenScaled: "Delete", whenDeleted: "Delete" };
		await start(space, setOf(3, { ...claims, persistentVolumeClaimRetentionPolicy: policy }, mounted));
		expect(await names(space)).toEqual(["datadir-ss-0", "datadir-ss-1", "datadir-ss-2"]);
		await space.exec("ss-0", "echo kept > /data/file");
		await target().delete(space.core("pods", "ss-0"));
		await allReady(space, 3);
		expect(await space.exec("ss-0", "cat /data/file")).toBe("kept\n");
		await scale(space, 1);
		await eventually(async () => expect(await names(space)).toEqual(["datadir-ss-0"]));
		await target().delete(space.apps("statefulsets", "ss"));
		await eventually(async () => expect(await names(space)).toEqual([]));
	}, 60_000);

	test.concurrent("a claim with another controller stays with it, one with other owners goes with the set too", async () => {
		await using space = await target().namespace("ss-owners");
		const set = await start(space, setOf(4, claims, mounted));
		const path = (ordinal: number) => space.core("persistentvolumeclaims", `datadir-ss-${ordinal}`);
		const config = await target().post(space.core("configmaps"), { metadata: { generateName: "owner" } });
		const owner = { apiVersion: "v1", kind: "ConfigMap", name: config.metadata.name, uid: config.metadata.uid };
		const controls = { controller: true, blockOwnerDeletion: true };
		const stranger = { apiVersion: "apps/v1", kind: "StatefulSet", name: "unknown", uid: "9d86d6ae", ...controls };
		const own = { apiVersion: "apps/v1", kind: "StatefulSet", name: "ss", uid: set.metadata.uid, ...controls };
		const give = (ordinal: number, ownerReferences: Json[], finalizers?: string[]) =>
			target().update(path(ordinal), ({ metadata }) => {
				Object.assign(metadata, { ownerReferences }, finalizers && { finalizers });
			});
		const owners = async (...ordinals: number[]) =>
			Promise.all(ordinals.map(async (each) => (await target().get(path(each))).metadata.ownerReferences));
		const policy = (whenDeleted: string, whenScaled: string) =>
			target().patch(space.apps("statefulsets", "ss"), merge, {
				spec: { persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled } },
			});
		await give(1, [owner]);
		// Its owner has never been: only the finalizer keeps it.
		await give(3, [stranger], ["example.com/keep"]);
		await policy("Delete", "Retain");
		await eventually(async () => expect(await owners(0, 1, 2, 3)).toEqual([[own], [owner, own], [own], [stranger]]));
		await give(0, [{ ...own, controller: false }]);
		await policy("Delete", "Delete");
		await eventually(async () => expect(await owners(0)).toEqual([[own]]));
		await target().delete(space.apps("statefulsets", "ss"));
		await eventually(async () => expect(await names(space)).toEqual(["datadir-ss-1", "datadir-ss-3"]));
		await target().patch(path(3), json, [{ op: "remove", path: "/metadata/finalizers" }]);
		await space.gone(path(3));
	}, 60_000);

	test.concurrent("a claim that another controls outlives the scaling down that would delete it", async () => {
		await using space = await target().namespace("ss-controlled");
		await start(space, setOf(3, claims, mounted));
		const config = await target().post(space.core("configmaps"), { metadata: { name: "dummy" } });
		const path = space.core("persistentvolumeclaims", "datadir-ss-1");
		const { name, uid } = config.metadata;
		await target().update(path, ({ metadata }) => {
			metadata.ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name, uid, controller: true }];
		});
		await target().update(space.apps("statefulsets", "ss"), ({ spec }) => {
			spec.persistentVolumeClaimRetentionPolicy = { whenScaled: "Delete" };
		});
		await scale(space, 0);
		await eventually(async () => expect(await names(space)).toEqual(["datadir-ss-1"]));
		await target().update(path, ({ metadata }) => {
			delete metadata.ownerReferences;
		});
		await scale(space, 2);
		await allReady(space, 2);
		expect(await names(space)).toEqual(["datadir-ss-0", "datadir-ss-1"]);
		await scale(space, 1);
		await eventually(async () => expect(await names(space)).toEqual(["datadir-ss-0"]));
	}, 60_000);

	test.concurrent("the claim of a pod that no node takes yet is recreated", async () => {
		await using space = await target().namespace("ss-claim-again");
		const key = `test.example/${space.name}`;
		const [node] = (await target().get("/api/v1/nodes")).items;
		const label = (value: string | null) =>
			target().patch(`/api/v1/nodes/${nameOf(node)}`, merge, { metadata: { labels: { [key]: value } } });
		await label("here");
		const set = setOf(1, claims, mounted);
		set.spec.template.spec.nodeSelector = { [key]: "here" };
		await start(space, set);
		await label(null);
		const pod = space.core("pods", "ss-0");
		const { metadata } = await target().get(pod);
		await target().delete(pod);
		await space.until(pod, (again) => again.metadata.uid !== metadata.uid);
		const claim = space.core("persistentvolumeclaims", "datadir-ss-0");
		const before = await target().get(claim);
		await target().delete(claim);
		await space.until(claim, (again) => again.metadata.uid !== before.metadata.uid);
		await label("here");
		await allReady(space, 1);
	}, 60_000);
});
