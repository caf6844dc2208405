/** Events, newest first. */
import type { Event } from "../../../kinds/generated/types.ts";
import { timeOf } from "../../../why/findings/evidence.ts";
import { age } from "../text/times.ts";
import { words } from "../text/words.ts";
import { TypedLink } from "./object-link.tsx";
import { Mark } from "./status.tsx";
import { Table } from "./table.tsx";

const mostShown = 200;

export function EventList({ events }: { events: readonly Event[] }) {
	const w = words();
	if (events.length === 0) return <p class="empty">{w.none}</p>;
	const sorted = events.toSorted((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1)).slice(0, mostShown);
	return (
		<Table class="events" headings={[w.age, w.status, w.object, w.message]}>
			{sorted.map((event) => {
				const { involvedObject: about, type, reason, message, count, series, metadata } = event;
				const times = series?.count ?? count ?? 1;
				return (
					<tr key={metadata.uid} class={type === "Warning" ? "warning" : ""}>
						<td>{age(timeOf(event))}</td>
						<td>
							<Mark tone={type === "Warning" ? "bad" : "good"} /> {reason}
						</td>
						<td>
							<TypedLink
								type={(about.kind ?? "").toLowerCase()}
								of={{ namespace: about.namespace, name: about.name ?? "" }}
							/>
						</td>
						<td>
							{message}
							{times > 1 && ` (×${times})`}
						</td>
					</tr>
				);
			})}
		</Table>
	);
}

export function eventsOf(events: readonly Event[], uids: ReadonlySet<string>): Event[] {
	return events.filter(({ involvedObject }) => uids.has(involvedObject.uid ?? ""));
}
