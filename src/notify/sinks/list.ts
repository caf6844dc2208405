/** The kinds of sinks that are asked by HTTP: functions that make a request of a message. */
import type { OutgoingRequest } from "../settings.ts";
import { googleChatRequest } from "./google-chat.ts";
import type { Message } from "./message.ts";
import { slackRequest } from "./slack.ts";
import { teamsRequest } from "./teams.ts";
import { webhookRequest } from "./webhook.ts";

export type HttpSink = Exclude<OutgoingRequest["sink"], "email">;

/** @param key signs the request where the kind of sink knows signatures */
export type MakeRequest = (message: Message, url: URL, key?: string) => Promise<OutgoingRequest> | OutgoingRequest;

export const httpSinks: Readonly<Record<HttpSink, MakeRequest>> = {
	slack: slackRequest,
	googleChat: googleChatRequest,
	teams: teamsRequest,
	webhook: webhookRequest,
};

/** What takes messages at such a URL, for those who do not say. */
export function sinkAt({ hostname }: URL): HttpSink {
	if (hostname === "hooks.slack.com" || hostname === "hooks.slack-gov.com") return "slack";
	if (hostname === "chat.googleapis.com") return "googleChat";
	if (/\.(logic\.azure\.com|powerplatform\.com|powerautomate\.com|webhook\.office\.com)$/.test(hostname))
		return "teams";
	return "webhook";
}
