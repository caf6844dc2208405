/** All workloads and pods of their own with their state, and all problems. */
import { type Explained, headline, problems } from "../../../why/explain.ts";
import { phraseOf } from "../../../why/text/sentences.ts";
import { evidenceOf } from "../parts/evidence.ts";
import { ObjectLink, TypedLink } from "../parts/object-link.tsx";
import { Badge, podStatus, type Status } from "../parts/status.tsx";
import { Table } from "../parts/table.tsx";
import { all } from "../state/objects.ts";
import { isChosen, namespace } from "../state/route.ts";
import { language } from "../state/settings.ts";
import { inWords } from "../text/schedule.ts";
import { age } from "../text/times.ts";
import { words } from "../text/words.ts";
import { jobStatus } from "./job.tsx";

interface Row {
	type: Explained;
	metadata: { name: string; namespace?: string; uid: string; creationTimestamp: string };
	badge: Status;
	detail?: string;
}

export function WorkloadsView() {
	const w = words();
	const rows = allRows().filter(isChosen);
	return (
		<>
			<h1>{w.workloads}</h1>
			<Problems />
			{rows.length === 0 && <p class="empty">{w.noObjects}</p>}
			<Table headings={[w.name, w.namespace, w.status, w.age, ""]}>
				{rows.map(({ type, metadata, badge, detail }) => (
					<tr key={metadata.uid}>
						<td>
							<ObjectLink type={type} of={metadata}>
								<small>{type}</small> {metadata.name}
							</ObjectLink>
						</td>
						<td>{metadata.namespace}</td>
						<td>
							<Badge {...badge} />
						</td>
						<td>{age(metadata.creationTimestamp)}</td>
						<td>{detail}</td>
					</tr>
				))}
			</Table>
		</>
	);
}

function allRows(): Row[] {
	const w = words();
	const rows: Row[] = [];
	for (const { metadata, spec, status } of all("statefulsets"))
		rows.push({ type: "statefulset", metadata, badge: share(status?.readyReplicas, spec.replicas ?? 1) });
	for (const { metadata, spec, status } of all("deployments"))
		rows.push({ type: "deployment", metadata, badge: share(status?.readyReplicas, spec.replicas ?? 1) });
	for (const { metadata, status } of all("daemonsets"))
		rows.push({ type: "daemonset", metadata, badge: share(status?.numberReady, status?.desiredNumberScheduled ?? 0) });
	for (const { metadata, spec } of all("cronjobs")) {
		const badge = { tone: spec.suspend ? "off" : "good", word: spec.suspend ? w.suspended : spec.schedule } as const;
		rows.push({ type: "cronjob", metadata, badge, detail: inWords(spec.schedule) });
	}
	for (const job of all("jobs"))
		if (!job.metadata.ownerReferences?.some(({ kind }) => kind === "CronJob"))
			rows.push({ type: "job", metadata: job.metadata, badge: jobStatus(job) });
	for (const pod of all("pods"))
		if (pod.metadata.ownerReferences === undefined)
			rows.push({ type: "pod", metadata: pod.metadata, badge: podStatus(pod) });
	return rows;
}

function share(ready = 0, wanted: number): Status {
	return { tone: ready >= wanted ? "good" : "busy", word: `${ready}/${wanted}` };
}

const mostProblems = 20;

/** One sentence about each object that is not as it should be: its cause, as far as it is known. */
export function Problems() {
	const w = words();
	const spaces = namespace.value === "" ? all("namespaces").map(({ metadata }) => metadata.name) : [namespace.value];
	const found = spaces.flatMap(problemsIn).slice(0, mostProblems);
	return (
		<section class="card" aria-label={w.problems}>
			<h2>{w.problems}</h2>
			{found.length === 0 && <p class="empty">{w.noProblems}</p>}
			<ul class="problems">
				{found.map(({ type, name, space, sentence }) => (
					<li key={`${type}/${space}/${name}`}>
						<TypedLink type={type} of={{ namespace: space, name }} /> {sentence}
					</li>
				))}
			</ul>
		</section>
	);
}

function problemsIn(space: string) {
	return (
		problems(evidenceOf(space))
			// Nodes belong to no namespace; they are told once.
			.filter(({ type }) => type !== "node" || space === "default")
			.map(({ type, name, findings }) => {
				const cause = headline(findings);
				const sentence = cause === undefined ? "" : phraseOf(cause, language.value).says;
				const isOwn = cause === undefined || (cause.about.type === type && cause.about.name === name);
				return { type, name, space, sentence: isOwn ? sentence : `${cause.about.name}: ${sentence}` };
			})
	);
}
