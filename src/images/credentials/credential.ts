/** Who asks a registry. Pure. */
import { createHash } from "node:crypto";

export interface Credential {
	username: string;
	password: string;
	/** An OAuth2 refresh token, used instead. */
	identityToken?: string;
}

/** `user:password` in base64, as Docker's files have it; undefined if it is none. */
export function decodeAuth(auth: string): Credential | undefined {
	const text = Buffer.from(auth, "base64").toString("utf8").replace(/\0+$/, "");
	const colon = text.indexOf(":");
	return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

export function basicAuthorization({ username, password }: Credential): string {
	return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** The same for equal credentials; says nothing about them. */
export function fingerprint({ username, password, identityToken = "" }: Credential): string {
	return createHash("sha256")
		.update(JSON.stringify([username, password, identityToken]))
		.digest("hex");
}
