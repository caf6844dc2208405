/** Incoming webhooks of Slack and compatible services: a message in mrkdwn. */
import { firstOf, jsonHeaders, lastOf, type Message } from "./message.ts";
import { commandOf, factsOf } from "./notification.ts";
import type { OutgoingRequest } from "./request.ts";

/** Slack truncates longer texts. */
const longestText = 3000;
const longestLog = 2000;

export function slackRequest({ notification, title, text, log }: Message, url: URL): OutgoingRequest {
	const facts = factsOf(notification).map(([label, value]) => `${label}: ${escaped(value)}`);
	const lines = [
		`*${escaped(title).replaceAll("*", "∗").replaceAll("\n", " ")}*`,
		...(text === undefined ? [facts.join("\n")] : [escaped(text)]),
		...(text === undefined && log !== ""
			? [`\`\`\`${escaped(lastOf(log, longestLog)).replaceAll("```", "ʼʼʼ")}\`\`\``]
			: []),
		...(text === undefined ? [`\`${escaped(commandOf(notification))}\``] : []),
	];
	const body = JSON.stringify({ text: firstOf(lines.join("\n"), longestText + longestLog) });
	return { sink: "slack", url: url.href, headers: jsonHeaders, body };
}

/** Prevents links and mentions of everybody (Slack documentation, "Formatting text"). */
function escaped(text: string): string {
	return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
