/** Incoming webhooks of Google Chat: messages about the same Job are one thread. */
import { firstOf, jsonHeaders, lastOf, type Message } from "./message.ts";
import { commandOf, factsOf } from "./notification.ts";
import type { OutgoingRequest } from "./request.ts";

/** Google Chat rejects longer messages. */
const longestText = 4000;
const longestLog = 2500;

export function googleChatRequest({ notification, title, text, log }: Message, url: URL): OutgoingRequest {
	const { namespace, kind, name, run } = notification;
	const at = new URL(url);
	at.searchParams.set("messageReplyOption", "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD");
	const facts = factsOf(notification).map(([label, value]) => `${label}: ${plain(value)}`);
	const lines = [
		`*${plain(title).replaceAll("*", "∗").replaceAll("\n", " ")}*`,
		...(text === undefined ? facts : [plain(text)]),
		...(text === undefined && log !== ""
			? [`\`\`\`\n${plain(lastOf(log, longestLog)).replaceAll("```", "ʼʼʼ")}\n\`\`\``]
			: []),
		...(text === undefined ? [`\`${plain(commandOf(notification))}\``] : []),
	];
	const threadKey = run === undefined ? `${namespace}/${kind}/${name}` : `${namespace}/${run}`;
	const body = JSON.stringify({ text: firstOf(lines.join("\n"), longestText), thread: { threadKey } });
	return { sink: "googleChat", url: at.href, headers: jsonHeaders, body };
}

/** `<users/all>` mentions everybody, and `<https://…|text>` is a link; an invisible space prevents both. */
function plain(text: string): string {
	return text.replaceAll("<", "<\u200b");
}
