/** All workloads with their state, and all problems. */
import { type Explained, isHarmless, problems } from "../../../why/explain.ts";
import { phraseOf } from "../../../why/text/sentences.ts";
import { evidenceOf } from "../parts/evidence.ts";
import { Badge, PodBadge, type Tone } from "../parts/status.tsx";
import { all } from "../state/objects.ts";
import { href, namespace, search } from "../state/route.ts";
import { language } from "../state/settings.ts";
import { inWords } from "../text/schedule.ts";
import { age } from "../text/times.ts";
import { words } from "../text/words.ts";
import { jobStatus } from "./job.tsx";

interface Row {
	type: Explained;
	metadata: { name: string; namespace?: string; uid: string; creationTimestamp: string };
	badge: { tone: Tone; word: string };
	detail?: string;
}

export function WorkloadsView() {
	const w = words();
	const rows = allRows().filter(
		({ metadata }) =>
			(namespace.value === "" || metadata.namespace === namespace.value) && metadata.name.includes(search.value),
	);
	const bare = all("pods").filter(
		({ metadata }) =>
			metadata.ownerReferences === undefined &&
			(namespace.value === "" || metadata.namespace === namespace.value) &&
			metadata.name.includes(search.value),
	);
	return (
		<>
			<h1>{w.workloads}</h1>
			<Problems />
			{rows.length === 0 && bare.length === 0 && <p class="empty">{w.noObjects}</p>}
			<table>
				<thead>
					<tr>
						<th scope="col">{w.name}</th>
						<th scope="col">{w.namespace}</th>
						<th scope="col">{w.status}</th>
						<th scope="col">{w.age}</th>
						<th scope="col" />
					</tr>
				</thead>
				<tbody>
					{rows.map(({ type, metadata, badge, detail }) => (
						<tr key={metadata.uid}>
							<td>
								<a href={href(type, metadata.namespace, metadata.name)}>
									<small>{type}</small> {metadata.name}
								</a>
							</td>
							<td>{metadata.namespace}</td>
							<td>
								<Badge {...badge} />
							</td>
							<td>{age(metadata.creationTimestamp)}</td>
							<td>{detail}</td>
						</tr>
					))}
					{bare.map((pod) => (
						<tr key={pod.metadata.uid}>
							<td>
								<a href={href("pod", pod.metadata.namespace, pod.metadata.name)}>
									<small>pod</small> {pod.metadata.name}
								</a>
							</td>
							<td>{pod.metadata.namespace}</td>
							<td>
								<PodBadge pod={pod} />
							</td>
							<td>{age(pod.metadata.creationTimestamp)}</td>
							<td />
						</tr>
					))}
				</tbody>
			</table>
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
		const badge = { tone: spec.suspend ? "off" : "good", word: spec.suspend ? w.suspend : spec.schedule } as const;
		rows.push({ type: "cronjob", metadata, badge, detail: inWords(spec.schedule) });
	}
	for (const job of all("jobs"))
		if (!job.metadata.ownerReferences?.some(({ kind }) => kind === "CronJob"))
			rows.push({ type: "job", metadata: job.metadata, badge: jobStatus(job) });
	return rows;
}

function share(ready = 0, wanted: number): Row["badge"] {
	return { tone: ready >= wanted ? "good" : "busy", word: `${ready}/${wanted}` };
}

const mostProblems = 20;

/** The first sentence about each object that is not as it should be. */
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
						<a href={href(type, type === "node" ? "" : space, name)}>
							{type}/{name}
						</a>{" "}
						{sentence}
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
				const worst = findings.find((finding) => !isHarmless(finding)) ?? findings[0];
				return { type, name, space, sentence: worst === undefined ? "" : phraseOf(worst, language.value).says };
			})
	);
}
