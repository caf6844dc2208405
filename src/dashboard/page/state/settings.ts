/** What the viewer chose, kept in this browser. */
import { effect, type Signal, signal } from "@preact/signals";

export type Language = "en" | "de";
export type Theme = "auto" | "light" | "dark";

export const language: Signal<Language> = kept(
	"language",
	["en", "de"],
	navigator.language.startsWith("de") ? "de" : "en",
);
export const theme: Signal<Theme> = kept("theme", ["auto", "light", "dark"], "auto");

effect(() => {
	document.documentElement.dataset["theme"] = theme.value;
	document.documentElement.lang = language.value;
});

function kept<T extends string>(name: string, values: readonly T[], initial: T): Signal<T> {
	const stored = values.find((value) => value === localStorage.getItem(`cox-${name}`));
	const choice = signal(stored ?? initial);
	effect(() => localStorage.setItem(`cox-${name}`, choice.value));
	return choice;
}
