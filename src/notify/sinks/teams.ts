/** Workflows of Microsoft Teams with a webhook trigger: an adaptive card. */
import { firstOf, jsonHeaders, lastOf, type Message } from "./message.ts";
import { commandOf, factsOf } from "./notification.ts";
import type { OutgoingRequest } from "./request.ts";

/** The maximum size of a card is 28 KB. */
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
					// An empty line between lines: Markdown ignores a single newline.
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

/** Cards are Markdown: escapes links and emphasis. */
function plain(text: string): string {
	return text.replace(/[[\]*_`<>]/g, (sign) => `\\${sign}`);
}
