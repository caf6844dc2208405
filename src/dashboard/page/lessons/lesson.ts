/** Lessons: steps that say what happens, do it, and point at what changed. Their text is in examples/lessons/. */
export type Texts = Readonly<Record<"en" | "de", string>>;

export interface Step {
	says: Texts;
	/** YAML documents, without a namespace. */
	apply?: string;
	/** Strategic merge patch of `object`. */
	patch?: object;
	/** `pod/diary-1`, to be deleted. */
	remove?: string;
	/** What to look at: `statefulset/diary`. */
	object: string;
	/** The step is over when a field of `object` has this value. */
	until: Until;
}

export interface Until {
	/** Names joined by dots; a dot in a name has a backslash in front. */
	field: string;
	is: string | number | boolean;
}

export interface Lesson {
	title: Texts;
	steps: readonly Step[];
}

/** Everything that lessons make is in it, and goes with it. */
export const lessonNamespace = "lesson";

/** Whether the object has come where the step leads; a number that is missing is 0. */
export function isReached(object: object | undefined, { field, is }: Until): boolean {
	let value: unknown = object;
	for (const name of field.split(/(?<!\\)\./))
		value = (value as Record<string, unknown> | undefined)?.[name.replaceAll("\\.", ".")];
	return (value ?? (typeof is === "number" ? 0 : undefined)) === is;
}
