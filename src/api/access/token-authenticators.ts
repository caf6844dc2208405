/** The list of token authenticators. */

import { oidcTokens } from "../credentials/oidc/oidc-tokens.ts";
import { forApiServer, type TokenAuthenticator } from "../credentials/token-authenticator.ts";
import type { Server } from "../server/server.ts";
import { bootstrapTokens } from "./bootstrap-token.ts";
import { serviceAccountTokens } from "./service-account-token.ts";

/** Every type of token, in the order in which they are tried. */
export function tokenAuthenticators(server: Server): TokenAuthenticator[] {
	const { oidc = [], wallClock = server.clock } = server.options;
	return [
		serviceAccountTokens(server),
		bootstrapTokens(server),
		...oidc.map((config) => oidcTokens(server, config, wallClock)),
		givenTokens(server),
	];
}

/** Static tokens. */
function givenTokens(server: Server): TokenAuthenticator {
	return {
		async authenticate(token, audiences) {
			const user = await server.options.authenticateToken?.(token);
			return user === undefined ? undefined : forApiServer(server, user, audiences);
		},
	};
}
