import { language } from "../state/settings.ts";
import { german } from "./de.ts";
import { english, type Words } from "./en.ts";

/** The words in the chosen language; views that use them are drawn again when it changes. */
export function words(): Words {
	return language.value === "de" ? german : english;
}
