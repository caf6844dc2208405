import { messageOf } from "../../core/errors.ts";
import { checkAllowed } from "../../notify/delivery/settings.ts";

/**
 * Parses `10.1.0.0/16,hooks.example.com`; `none` is empty.
 * @throws Error that names the option and the problem
 */
export function parseAllowed(text: string): string[] {
	const list = text
		.split(",")
		.map((item) => item.trim())
		.filter((item) => item !== "");
	if (text === "none") return [];
	try {
		checkAllowed(list);
	} catch (error) {
		throw new Error(`--notify-allow: ${messageOf(error)}`);
	}
	return list;
}
