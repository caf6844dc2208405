/** The types of HTTP sinks: functions that convert a message to a request. */
import { googleChatRequest } from "./google-chat.ts";
import type { Message } from "./message.ts";
import type { OutgoingRequest } from "./request.ts";
import { slackRequest } from "./slack.ts";
import { teamsRequest } from "./teams.ts";
import { webhookRequest } from "./webhook.ts";

export type HttpSink = Exclude<OutgoingRequest["sink"], "email">;

/** @param key signs the request if the type supports signatures */
export type MakeRequest = (message: Message, url: URL, key?: string) => Promise<OutgoingRequest> | OutgoingRequest;

export const httpSinks: Readonly<Record<HttpSink, MakeRequest>> = {
	slack: slackRequest,
	googleChat: googleChatRequest,
	teams: teamsRequest,
	webhook: webhookRequest,
};

/** The type of sink at a URL whose type is not specified. */
export function sinkAt({ hostname }: URL): HttpSink {
	if (hostname === "hooks.slack.com" || hostname === "hooks.slack-gov.com") return "slack";
	if (hostname === "chat.googleapis.com") return "googleChat";
	if (/\.(logic\.azure\.com|powerplatform\.com|powerautomate\.com|webhook\.office\.com)$/.test(hostname))
		return "teams";
	return "webhook";
}
