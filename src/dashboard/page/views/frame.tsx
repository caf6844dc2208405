/** What the views of all objects share: title, tabs, explanation, Events, logs, YAML. */
import type { ComponentChildren } from "preact";
import type { Pod } from "../../../kinds/generated/types.ts";
import type { Explained } from "../../../why/explain.ts";
import { Action } from "../parts/action.tsx";
import { EventList, eventsOf } from "../parts/event-list.tsx";
import { Logs } from "../parts/logs.tsx";
import { Why } from "../parts/why.tsx";
import { Yaml } from "../parts/yaml.tsx";
import { remove } from "../state/api.ts";
import { all, type Plural, pathOf } from "../state/objects.ts";
import { href, route } from "../state/route.ts";
import { words } from "../text/words.ts";

interface FrameProps {
	type: Explained;
	plural: Plural;
	object: {
		metadata: { name: string; namespace?: string | undefined; uid: string; resourceVersion: string };
	};
	/** The pods whose logs are shown, and whose Events belong here, too. */
	pods: readonly Pod[];
	/** Of other objects whose Events belong here. */
	uids?: readonly string[];
	actions?: ComponentChildren;
	children: ComponentChildren;
}

export function Frame({ type, plural, object, pods, uids = [], actions, children }: FrameProps) {
	const w = words();
	const { name, namespace = "", uid } = object.metadata;
	const { tab } = route.value;
	const related = new Set([uid, ...uids, ...pods.map((pod) => pod.metadata.uid)]);
	const path = pathOf(plural, object.metadata);
	const tabs: [string, string][] = [
		["", w.overview],
		...(pods.length > 0 ? ([["logs", w.logs]] as [string, string][]) : []),
		["events", w.events],
		["yaml", w.yaml],
	];
	return (
		<>
			<h1>
				<small>{type}</small> {name}
			</h1>
			<nav class="tabs" aria-label={name}>
				{tabs.map(([id, label]) => (
					<a key={id} href={href(type, namespace, name, id)} aria-current={tab === id ? "page" : undefined}>
						{label}
					</a>
				))}
			</nav>
			{tab === "logs" && <Logs pods={pods} />}
			{tab === "events" && <EventList events={eventsOf(all("events"), related)} />}
			{tab === "yaml" && <Yaml key={uid} object={object} path={path} />}
			{tab === "" && (
				<>
					<Why type={type} namespace={namespace} name={name} />
					<div class="bar">
						{actions}
						<Action confirm={w.confirmDelete} run={() => remove(path)}>
							{w.remove}
						</Action>
					</div>
					{children}
				</>
			)}
		</>
	);
}
