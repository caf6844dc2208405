/** The one list of those who know bearer tokens. */
import type { Server } from "../server.ts";
import { bootstrapTokens } from "./bootstrap-token.ts";
import { serviceAccountTokens } from "./service-account-token.ts";
import { forApiServer, type TokenAuthenticator } from "./token-authenticator.ts";

/** Every sort of token, in the order in which it is tried. */
export function tokenAuthenticators(server: Server): TokenAuthenticator[] {
	return [serviceAccountTokens(server), bootstrapTokens(server), givenTokens(server)];
}

/** Tokens that the server was given at its start. */
function givenTokens(server: Server): TokenAuthenticator {
	return {
		async authenticate(token, audiences) {
			const user = await server.options.authenticateToken?.(token);
			return user === undefined ? undefined : forApiServer(server, user, audiences);
		},
	};
}
