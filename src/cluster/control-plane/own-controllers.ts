import { identityHeaderNames } from "../../api/aggregation/identity-headers.ts";
import { apiServiceRegistrationController } from "../../controllers/apiservice-registration/controller.ts";
import { extensionAuthenticationController } from "../../controllers/extension-authentication/controller.ts";
import type { Controller } from "../../controllers/runtime/controller.ts";
import { apiServices } from "../../kinds/apiregistration/apiservice.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { BuiltIn } from "../built-ins/built-in.ts";
import { builtInKeeper } from "../built-ins/keeper.ts";
import type { Authority } from "./controllers.ts";

/**
 * Controllers that the API server runs itself, as upstream's does, with the rights of the server.
 * @param authority undefined if there is none (yet)
 */
export function ownControllers(list: readonly BuiltIn[], authority: Authority | undefined): Controller<unknown>[] {
	const registered = list.filter(({ kind }) => kind === (apiServices as Kind)).map(({ draft }) => draft.metadata.name);
	return [
		builtInKeeper(list),
		apiServiceRegistrationController(new Set(registered.map((name = "") => name))),
		...(authority === undefined ? [] : authenticationControllers(authority)),
	];
}

/** Those that need a certificate authority, which a cluster may get after its start. */
export function authenticationControllers({ ca, frontProxy }: Authority): Controller<unknown>[] {
	const proxy = { proxyCa: frontProxy.ca, proxyNames: [frontProxy.name], headers: identityHeaderNames };
	return [extensionAuthenticationController({ clientCa: ca, ...proxy })];
}
