/** Scores that depend only on the node: preferred labels, taints with PreferNoSchedule, present images. */
import { compileTerm } from "../../kinds/pod/node-selector.ts";
import { tolerates } from "../../kinds/pod/tolerations.ts";
import { type Score, scaled } from "./score.ts";

export const preferredTaints: Score = {
	name: "TaintToleration",
	weight: 3,
	rate({ tolerations }, nodes) {
		if (!nodes.some(({ node }) => node?.spec?.taints?.some(({ effect }) => effect === "PreferNoSchedule")))
			return undefined;
		const relevant = tolerations.filter(({ effect }) => !effect || effect === "PreferNoSchedule");
		const intolerable = nodes.map(
			({ node }) =>
				node?.spec?.taints?.filter(
					(taint) =>
						taint.effect === "PreferNoSchedule" && !relevant.some((toleration) => tolerates(toleration, taint)),
				).length ?? 0,
		);
		return scaled(intolerable, { reverse: true });
	},
};

export const preferredNodes: Score = {
	name: "NodeAffinity",
	weight: 2,
	rate({ pod }, nodes) {
		const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution;
		if (preferred === undefined || preferred.length === 0) return undefined;
		const terms = preferred.map(({ preference, weight }) => ({ matches: compileTerm(preference), weight }));
		const sums = nodes.map(({ node }) =>
			node === undefined ? 0 : terms.reduce((sum, term) => sum + (term.matches(node) ? term.weight : 0), 0),
		);
		return scaled(sums);
	},
};

const mebibyte = 1024 * 1024;
/** Smaller images do not count; above `mostBytes` (per container) the size does not matter. */
const leastBytes = 23 * mebibyte;
const mostBytesPerContainer = 1000 * mebibyte;

export const imageLocality: Score = {
	name: "ImageLocality",
	weight: 1,
	rate({ pod }, nodes, cluster) {
		if (!nodes.some(({ node }) => (node?.status?.images ?? []).length > 0)) return undefined;
		const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
		const wanted = new Map<string, number>();
		for (const { image } of containers) {
			if (image === undefined) continue;
			const name = withTag(image);
			wanted.set(name, (wanted.get(name) ?? 0) + 1);
		}
		const holdings = nodes.map(({ node }) =>
			(node?.status?.images ?? []).filter(({ names }) => names?.some((name) => wanted.has(name))),
		);
		if (holdings.every((images) => images.length === 0)) return undefined;
		const holders = new Map<string, number>();
		for (const images of holdings)
			for (const name of new Set(images.flatMap(({ names }) => names ?? [])))
				holders.set(name, (holders.get(name) ?? 0) + 1);
		const mostBytes = mostBytesPerContainer * containers.length;
		return holdings.map((images) => {
			let bytes = 0;
			for (const { names = [], sizeBytes = 0 } of images) {
				const name = names.find((candidate) => wanted.has(candidate)) ?? "";
				// An image that few nodes have counts less, so that pods do not all run on the same node.
				bytes += sizeBytes * ((holders.get(name) ?? 0) / cluster.nodes.length) * (wanted.get(name) ?? 0);
			}
			const bounded = Math.min(Math.max(bytes, leastBytes), mostBytes);
			return Math.floor((100 * (bounded - leastBytes)) / (mostBytes - leastBytes));
		});
	},
};

/** An image without tag or digest means `:latest`. */
function withTag(image: string): string {
	return image.lastIndexOf(":") <= image.lastIndexOf("/") ? `${image}:latest` : image;
}
