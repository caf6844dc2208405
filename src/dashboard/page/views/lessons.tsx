/** A guided page: each step says what will happen, shows the manifest, does it, and shows the object it is about. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { stringify } from "yaml";
import { isReached, type Lesson, lessonNamespace, type Step } from "../lessons/lesson.ts";
import { lessons } from "../lessons/lessons.ts";
import { Action } from "../parts/action.tsx";
import { patch, remove } from "../state/api.ts";
import { applyManifests } from "../state/apply.ts";
import { find, type Plural, pathOf } from "../state/objects.ts";
import { href, route } from "../state/route.ts";
import { language } from "../state/settings.ts";
import { words } from "../text/words.ts";
import { ObjectView } from "./object.tsx";

export function LessonsView() {
	const w = words();
	const number = Number(route.value.namespace);
	const lesson = lessons[number - 1];
	if (lesson !== undefined) return <LessonPage key={number} lesson={lesson} number={number} />;
	return (
		<>
			<h1>{w.lessons}</h1>
			<p>{w.lessonsHint}</p>
			<ol class="lessons">
				{lessons.map(({ title }, index) => (
					<li key={title.en}>
						<a href={href("lessons", String(index + 1))}>{title[language.value]}</a>
					</li>
				))}
			</ol>
		</>
	);
}

function LessonPage({ lesson, number }: { lesson: Lesson; number: number }) {
	const w = words();
	const at = useSignal(0);
	const isDone = useSignal(false);
	const step = lesson.steps[at.value];
	if (step === undefined) return <Ending number={number} />;
	const [type = "", name = ""] = step.object.split("/");
	const object = find(`${type}s` as Plural, lessonNamespace, name);
	const isOver = isDone.value && isReached(object, step.until);
	return (
		<>
			<h1>{lesson.title[language.value]}</h1>
			<p>
				<progress value={at.value + (isOver ? 1 : 0)} max={lesson.steps.length} aria-label={w.step} /> {w.step}{" "}
				{at.value + 1} / {lesson.steps.length}
			</p>
			<section class="card" aria-label={w.step}>
				<p>{step.says[language.value]}</p>
				<details open>
					<summary>{whatIsDone(step)}</summary>
					<pre class="log">{step.apply ?? (step.patch && stringify(step.patch))}</pre>
				</details>
				<div class="bar">
					<Action
						run={async () => {
							await perform(step);
							isDone.value = true;
						}}
						disabled={isDone.value}
					>
						{w.doIt}
					</Action>
					<output>{isDone.value && (isOver ? w.seen : w.waitForIt)}</output>
					<button
						type="button"
						disabled={!isOver}
						onClick={() => {
							at.value++;
							isDone.value = false;
						}}
					>
						{w.next}
					</button>
				</div>
			</section>
			{object !== undefined && <ObjectView view={type} namespace={lessonNamespace} name={name} tab="" />}
		</>
	);
}

/** As people would type it. */
function whatIsDone({ apply, patch: change, remove: target, object }: Step): string {
	if (apply !== undefined) return "kubectl apply -f -";
	if (change !== undefined) return `kubectl patch ${object} -p …`;
	return `kubectl delete ${target ?? ""}`;
}

/** @throws Error with what the server refused */
async function perform({ apply, patch: change, remove: target, object }: Step): Promise<void> {
	if (apply !== undefined) {
		const space = `apiVersion: v1\nkind: Namespace\nmetadata: { name: ${lessonNamespace} }\n---\n`;
		const refused = (await applyManifests(space + apply, lessonNamespace)).find(({ problem }) => problem !== undefined);
		if (refused !== undefined) throw new Error(`${refused.name}: ${refused.problem}`);
	}
	if (change !== undefined) await patch(pathIn(object), { strategic: change });
	if (target !== undefined) await remove(pathIn(target));
}

function pathIn(object: string): string {
	const [type = "", name = ""] = object.split("/");
	return pathOf(`${type}s` as Plural, { namespace: lessonNamespace, name });
}

function Ending({ number }: { number: number }) {
	const w = words();
	const next = lessons[number];
	useEffect(() => document.querySelector<HTMLElement>("main")?.focus(), []);
	return (
		<>
			<h1>{w.lessonEnd}</h1>
			<div class="bar">
				<Action run={() => remove(`/api/v1/namespaces/${lessonNamespace}`)}>{w.cleanUp}</Action>
				{next !== undefined && <a href={href("lessons", String(number + 1))}>{next.title[language.value]}</a>}
				<a href={href("lessons")}>{w.lessons}</a>
			</div>
		</>
	);
}
