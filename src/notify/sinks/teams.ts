/** Workflows of Microsoft Teams that are started by a webhook: an adaptive card. */
import { commandOf, factsOf } from "../notification.ts";
import type { OutgoingRequest } from "../settings.ts";
import { firstOf, jsonHeaders, lastOf, type Message } from "./message.ts";

/** A card has at most 28 KB. */
const longestText = 8000;
const longestLog = 4000;

export function teamsRequest({ notification, title, text, log }: Message, url: URL): OutgoingRequest {
	const block = (content: string, more: object = {}) => ({
		type: "TextBlock",
		text: plain(content),
		wrap: true,
		...more,
	});
	const facts = factsOf(notification).map(([label, value]) => ({ title: label, value: plain(value) }));
	const shown =
		text !== undefined
			? [block(firstOf(text, longestText))]
			: [
					{ type: "FactSet", facts },
					// Each line for itself: a single end of line is none in Markdown.
					...(log === "" ? [] : [block(lastOf(log, longestLog).replaceAll("\n", "\n\n"), { fontType: "Monospace" })]),
					block(commandOf(notification), { fontType: "Monospace", isSubtle: true }),
				];
	const color = notification.event === "Failed" || notification.event === "Stuck" ? "Attention" : "Default";
	const content = {
		$schema: "http://adaptivecards.io/schemas/adaptive-card.json",
		type: "AdaptiveCard",
		version: "1.4",
		body: [block(firstOf(title, 500), { weight: "Bolder", size: "Medium", color }), ...shown],
	};
	const attachment = { contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content };
	const body = JSON.stringify({ type: "message", attachments: [attachment] });
	return { sink: "teams", url: url.href, headers: jsonHeaders, body };
}

/** Cards read Markdown: what would be links or emphasis is text. */
function plain(text: string): string {
	return text.replace(/[[\]*_`<>]/g, (sign) => `\\${sign}`);
}
