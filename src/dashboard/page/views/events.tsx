import { useSignal } from "@preact/signals";
import { EventList } from "../parts/event-list.tsx";
import { all } from "../state/objects.ts";
import { namespace, search } from "../state/route.ts";
import { words } from "../text/words.ts";

export function EventsView() {
	const w = words();
	const isWarningsOnly = useSignal(false);
	const shown = all("events").filter(
		({ metadata, type, involvedObject, message = "" }) =>
			(namespace.value === "" || metadata.namespace === namespace.value) &&
			(!isWarningsOnly.value || type === "Warning") &&
			(involvedObject.name?.includes(search.value) || message.includes(search.value)),
	);
	return (
		<>
			<h1>{w.events}</h1>
			<label>
				<input
					type="checkbox"
					checked={isWarningsOnly.value}
					onChange={(event) => (isWarningsOnly.value = event.currentTarget.checked)}
				/>{" "}
				{w.warningsOnly}
			</label>
			<EventList events={shown} />
		</>
	);
}
