/** The pods in the files of a directory. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../core/errors.ts";
import type { Draft } from "../../core/object.ts";
import { yamlLibrary } from "../../core/text/yaml-library.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { hashAnnotation, mirrorAnnotation, sourceAnnotation } from "../../kinds/pod/static-pod.ts";

const largestFile = 1 << 20;
const mostFiles = 500;

export interface ManifestFiles {
	pods: readonly Draft<Pod>[];
	/** What is wrong with the others, a sentence each. */
	problems: readonly string[];
}

/** @returns the pods as mirror pods of the node; files whose names begin with a dot are left out, as upstream */
export function readManifests(directory: string, node: { name: string; uid: string }): ManifestFiles {
	const pods = new Map<string, Draft<Pod>>();
	const problems: string[] = [];
	const names = readdirSync(directory)
		.filter((name) => !name.startsWith("."))
		.sort();
	for (const name of names.slice(0, mostFiles)) {
		const path = join(directory, name);
		try {
			const file = statSync(path);
			if (file.isDirectory()) continue;
			if (!file.isFile()) throw new Error("it is no regular file");
			if (file.size > largestFile) throw new Error(`it has over ${largestFile} bytes`);
			const pod = mirrorPod(yamlLibrary().parse(readFileSync(path, "utf8")), node);
			const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
			if (pods.has(key)) throw new Error(`another file has pod ${key}, too`);
			pods.set(key, pod);
		} catch (error) {
			// It may have been removed just now.
			if (error instanceof Error && "code" in error && error.code === "ENOENT") continue;
			problems.push(`${name}: ${messageOf(error).split("\n")[0]}`);
		}
	}
	if (names.length > mostFiles) problems.push(`${directory} has more than ${mostFiles} files: the others are left out`);
	return { pods: [...pods.values()], problems };
}

/** @throws Error if it is no pod */
function mirrorPod(document: unknown, node: { name: string; uid: string }): Draft<Pod> {
	if (typeof document !== "object" || document === null || Array.isArray(document)) throw new Error("a Pod is wanted");
	// The API checks everything else when the pod is created.
	const { kind, apiVersion, metadata = {}, spec } = document as Partial<Pod>;
	if (kind !== "Pod" || apiVersion !== "v1") throw new Error(`kind Pod of v1 is wanted, not ${kind} of ${apiVersion}`);
	const { name, namespace = "default", labels, annotations } = metadata as Partial<Pod["metadata"]>;
	if (typeof name !== "string" || name === "") throw new Error("metadata.name is missing");
	if (typeof spec !== "object" || spec === null) throw new Error("spec is missing");
	const hash = createHash("sha256")
		.update(JSON.stringify([node.name, document]))
		.digest("hex")
		.slice(0, 32);
	const owner = { apiVersion: "v1", kind: "Node", name: node.name, uid: node.uid, controller: true };
	return {
		metadata: {
			name: `${name}-${node.name}`,
			namespace,
			...(labels === undefined ? {} : { labels }),
			annotations: { ...annotations, [sourceAnnotation]: "file", [hashAnnotation]: hash, [mirrorAnnotation]: hash },
			ownerReferences: [owner],
		},
		spec: {
			...spec,
			nodeName: node.name,
			// As upstream: they stay on a node that is not ready.
			tolerations: [...(spec.tolerations ?? []), { operator: "Exists", effect: "NoExecute" }],
		},
	};
}
