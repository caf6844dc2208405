/** A request as it leaves the cluster; for e-mails, the server without its password, and the text. */
export interface OutgoingRequest {
	sink: "slack" | "googleChat" | "teams" | "webhook" | "email";
	url: string;
	headers: Readonly<Record<string, string>>;
	body: string;
}

/** The result: an HTTP status, where 2xx means that the message was accepted. */
export type SendRequest = (request: OutgoingRequest) => Promise<number> | number;
