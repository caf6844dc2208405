/** Usage of the file systems of claims that running pods have mounted. */
import { statfs } from "node:fs/promises";
import type { Pod } from "../../kinds/generated/types.ts";
import type { Mount } from "../../runtime/runtime.ts";
import type { RuntimeView } from "../context/runtime-view.ts";
import { viewPath } from "../volumes/view-path.ts";
import type { MetricFamily } from "./exposition.ts";

export interface ClaimUsage {
	namespace: string;
	claim: string;
	capacityBytes: number;
	availableBytes: number;
	usedBytes: number;
	inodes: number;
	inodesFree: number;
}

/** Claims that a running container has mounted, each once. */
export async function readClaims(pods: Iterable<Pod>, view: Pick<RuntimeView, "of">): Promise<ClaimUsage[]> {
	const mounts = new Map<string, { namespace: string; claim: string; mount: Mount }>();
	for (const pod of pods)
		for (const { claim, mount } of claimMounts(pod, view)) {
			const { namespace = "" } = pod.metadata;
			mounts.set(`${namespace}/${claim}`, { namespace, claim, mount });
		}
	const found = await Promise.all(
		[...mounts.values()].map(async ({ namespace, claim, mount }) => {
			// The directory may have been removed with its volume.
			const of = await placeOf(mount).catch(() => undefined);
			return of === undefined ? [] : [{ namespace, claim, ...of }];
		}),
	);
	return found.flat();
}

function* claimMounts(pod: Pod, view: Pick<RuntimeView, "of">): Iterable<{ claim: string; mount: Mount }> {
	const { spec, metadata } = pod;
	const claims = new Map<string, string>();
	for (const { name, persistentVolumeClaim, ephemeral } of spec.volumes ?? [])
		if (persistentVolumeClaim !== undefined) claims.set(name, persistentVolumeClaim.claimName);
		else if (ephemeral !== undefined) claims.set(name, `${metadata.name}-${name}`);
	if (claims.size === 0) return;
	const { containers } = view.of(metadata.uid);
	for (const { name, volumeMounts = [] } of spec.containers)
		for (const { name: volume, mountPath } of volumeMounts) {
			const claim = claims.get(volume);
			if (claim === undefined) continue;
			const running = containers.find(({ config, state }) => config.name === name && state === "running");
			const mount = running?.config.mounts.find(({ containerPath }) => containerPath === mountPath);
			if (mount !== undefined) yield { claim, mount };
		}
}

async function placeOf({ root, hostPath }: Mount): Promise<Omit<ClaimUsage, "namespace" | "claim">> {
	const view = root === undefined || root === "/" ? "" : root;
	const { blocks, bavail, bfree, bsize, files, ffree } = await statfs(await viewPath(view, hostPath));
	return {
		capacityBytes: blocks * bsize,
		availableBytes: bavail * bsize,
		usedBytes: (blocks - bfree) * bsize,
		inodes: files,
		inodesFree: ffree,
	};
}

/** The metrics that the kubelet exposes at `/metrics` (Kubernetes Metrics Reference). Pure. */
export function claimMetrics(claims: readonly ClaimUsage[]): MetricFamily[] {
	const family = (name: string, help: string, of: (claim: ClaimUsage) => number): MetricFamily => ({
		name: `kubelet_volume_stats_${name}`,
		type: "gauge",
		help,
		samples: claims.map((claim) => ({
			labels: { namespace: claim.namespace, persistentvolumeclaim: claim.claim },
			value: of(claim),
		})),
	});
	return [
		family("capacity_bytes", "How large the claim's file system is", ({ capacityBytes }) => capacityBytes),
		family("available_bytes", "What is free on it", ({ availableBytes }) => availableBytes),
		family("used_bytes", "What is taken of it", ({ usedBytes }) => usedBytes),
		family("inodes", "Files that there can be on it", ({ inodes }) => inodes),
		family("inodes_free", "Files that there can still be on it", ({ inodesFree }) => inodesFree),
		family("inodes_used", "Files that there are on it", ({ inodes, inodesFree }) => inodes - inodesFree),
	];
}
