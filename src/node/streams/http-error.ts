/** A request the agent refuses: a status code and a line of text, which the API server passes on in a Status. */
export class HttpError extends Error {
	readonly code: number;
	constructor(code: number, message: string) {
		super(message);
		this.name = "HttpError";
		this.code = code;
	}
}

export function badRequest(message: string): HttpError {
	return new HttpError(400, message);
}

export function notFound(message: string): HttpError {
	return new HttpError(404, message);
}
