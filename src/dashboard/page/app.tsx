/** The frame of the page: navigation, namespace, clock, connection, and the view that the address names. */
import { ApplyDialog, isApplyOpen } from "./parts/apply-dialog.tsx";
import { ClockPart } from "./parts/clock.tsx";
import { isPaletteOpen, Palette } from "./parts/palette.tsx";
import { Badge, type Tone } from "./parts/status.tsx";
import { all, type Connection, connection } from "./state/objects.ts";
import { href, namespace, route, search } from "./state/route.ts";
import { session } from "./state/session.ts";
import { type Language, language, type Theme, theme } from "./state/settings.ts";
import { words } from "./text/words.ts";
import { ClusterView } from "./views/cluster.tsx";
import { EventsView } from "./views/events.tsx";
import { LessonsView } from "./views/lessons.tsx";
import { ObjectView } from "./views/object.tsx";
import { WorkloadsView } from "./views/workloads.tsx";

const tones: Readonly<Record<Connection, Tone>> = { connecting: "busy", live: "good", lost: "bad", loggedOut: "bad" };

export function App() {
	const w = words();
	return (
		<>
			<a class="skip" href="#main">
				{w.skip}
			</a>
			<header>
				<strong class="brand">Coxswain</strong>
				<nav aria-label="Coxswain">
					{(["cluster", "workloads", "events", "lessons"] as const).map((view) => (
						<a key={view} href={href(view)} aria-current={route.value.view === view ? "page" : undefined}>
							{w[view]}
						</a>
					))}
				</nav>
				<select
					aria-label={w.namespace}
					value={namespace.value}
					onChange={(event) => (namespace.value = event.currentTarget.value)}
				>
					<option value="">{w.allNamespaces}</option>
					{all("namespaces").map(({ metadata }) => (
						<option key={metadata.uid} value={metadata.name}>
							{metadata.name}
						</option>
					))}
				</select>
				<input
					type="search"
					aria-label={w.search}
					placeholder={w.search}
					value={search.value}
					onInput={(event) => (search.value = event.currentTarget.value)}
				/>
				<button type="button" onClick={() => (isPaletteOpen.value = true)} title="Ctrl-K">
					{w.commands}
				</button>
				{session.value?.readOnly === false && (
					<button
						type="button"
						onClick={() => {
							isApplyOpen.value = true;
						}}
					>
						{w.apply} …
					</button>
				)}
				<ClockPart />
				<output class="connection">
					<Badge tone={tones[connection.value]} word={w[connection.value]} />
				</output>
			</header>
			<main id="main" tabIndex={-1}>
				<View />
			</main>
			<footer>
				<span>
					{session.value?.user}
					{session.value?.readOnly && ` (${w.readOnly})`}
				</span>
				<Choice label={w.language} value={language.value} values={["en", "de"]} take={(to) => (language.value = to)} />
				<Choice
					label={w.theme}
					value={theme.value}
					values={["auto", "light", "dark"]}
					take={(to) => (theme.value = to)}
				/>
				<span>{session.value?.version}</span>
			</footer>
			<Palette />
			<ApplyDialog />
		</>
	);
}

function View() {
	switch (route.value.view) {
		case "cluster":
			return <ClusterView />;
		case "workloads":
			return <WorkloadsView />;
		case "events":
			return <EventsView />;
		case "lessons":
			return <LessonsView />;
		default:
			return <ObjectView {...route.value} />;
	}
}

interface ChoiceProps<T extends Language | Theme> {
	label: string;
	value: T;
	values: readonly T[];
	take(value: T): void;
}

function Choice<T extends Language | Theme>({ label, value, values, take }: ChoiceProps<T>) {
	return (
		<label>
			{label}{" "}
			<select value={value} onChange={(event) => take(event.currentTarget.value as T)}>
				{values.map((one) => (
					<option key={one} value={one}>
						{one}
					</option>
				))}
			</select>
		</label>
	);
}
