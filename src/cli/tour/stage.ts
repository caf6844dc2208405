import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../client/client.ts";
import { waitForList } from "../../client/wait.ts";
import { packageDirectory } from "../../cluster/files/package-files.ts";
import { isReason } from "../../core/errors.ts";
import type { Draft, KubeObject } from "../../core/object.ts";
import { yamlLibrary } from "../../core/text/yaml-library.ts";
import { lookupKind } from "../../kinds/catalog.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { isReady } from "../../kinds/pod/pod-lifecycle.ts";
import { say } from "../options/output.ts";

/** Everything that steps of the tour use. */
export interface Stage {
	client: Client;
	namespace: string;
	/** Aborts the tour if a step takes too long. */
	signal: AbortSignal;
	/** The last line printed for each pod, by UID: only changes are printed. */
	told: Map<string, string>;
	/** Adds a node to the cluster and returns its name when it is Ready. */
	addNode(): Promise<string>;
}

const colours = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code: number, text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);

export function heading(text: string): void {
	say(`\n${paint(1, text)}`);
}

/** The kubectl command that does the same, for the reader to try. */
export function command(text: string): void {
	say(paint(36, `  $ kubectl ${text}`));
}

export function coxCommand(text: string): void {
	say(paint(36, `  $ npx coxswain ${text}`));
}

export function fact(text: string): void {
	say(`  ${text}`);
}

/** Prints the output of a pod unchanged. */
export function quote(text: string): void {
	for (const line of text.trimEnd().split("\n")) say(paint(2, `  │ ${line}`));
}

/** Creates the objects of examples/tour/FILE, after removing those of an earlier tour. */
export async function apply(stage: Stage, file: string): Promise<void> {
	command(`apply -f examples/tour/${file}`);
	const text = readFileSync(join(packageDirectory, "examples/tour", file), "utf8");
	for (const document of yamlLibrary().parseAllDocuments(text)) {
		const manifest: Draft<KubeObject> = document.toJS();
		const kind = lookupKind(manifest.apiVersion ?? "", manifest.kind ?? "")?.kind;
		if (kind === undefined)
			throw new Error(`examples/tour/${file}: unknown kind ${manifest.apiVersion} ${manifest.kind}`);
		await createAnew(stage, kind, manifest);
	}
}

async function createAnew(stage: Stage, kind: Kind, manifest: Draft<KubeObject>): Promise<void> {
	const ref = { namespace: kind.namespaced ? stage.namespace : undefined, name: manifest.metadata.name ?? "" };
	const draft = { ...manifest, metadata: { ...manifest.metadata, namespace: ref.namespace } };
	try {
		await stage.client.delete(kind, ref, { propagationPolicy: "Foreground" });
	} catch (error) {
		if (!isReason(error, "NotFound")) throw error;
	}
	await waitForList(
		stage.client,
		kind,
		{ namespace: ref.namespace, fieldSelector: `metadata.name=${ref.name}` },
		(objects) => objects.length === 0,
		stage,
	);
	await stage.client.create(kind, draft);
}

/** Watches pods with the labels and prints a line for each change, until `done` holds. */
export async function watchPods(
	stage: Stage,
	labelSelector: string,
	done: (pods: readonly Pod[]) => boolean,
): Promise<readonly Pod[]> {
	return waitForList(
		stage.client,
		pods,
		{ namespace: stage.namespace, labelSelector },
		(list) => {
			for (const pod of list) {
				const line = podLine(pod);
				if (stage.told.get(pod.metadata.uid) !== line) fact(line);
				stage.told.set(pod.metadata.uid, line);
			}
			return done(list);
		},
		stage,
	);
}

function podLine(pod: Pod): string {
	const phase =
		pod.metadata.deletionTimestamp === undefined ? (isReady(pod) ? "Ready" : pod.status?.phase) : "Terminating";
	const where = pod.spec.nodeName === undefined ? "" : ` on ${pod.spec.nodeName}`;
	return `${pod.metadata.name}  ${phase ?? "Pending"}${where}`;
}

/** The pod's log so far, as `kubectl logs` prints it. */
export async function logs(stage: Stage, pod: string, container?: string): Promise<string> {
	const query = container === undefined ? "" : `?container=${container}`;
	const answer = await stage.client.raw("GET", `/api/v1/namespaces/${stage.namespace}/pods/${pod}/log${query}`);
	return typeof answer === "string" ? answer : JSON.stringify(answer);
}
