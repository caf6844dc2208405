import type { ClientTrust } from "../../api/listen.ts";
import { apiServiceRegistrationController } from "../../controllers/apiservice-registration/controller.ts";
import { extensionAuthenticationController } from "../../controllers/extension-authentication/controller.ts";
import type { Controller } from "../../controllers/runtime/controller.ts";
import { apiServices } from "../../kinds/apiregistration/apiservice.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { BuiltIn } from "../built-ins/built-in.ts";
import { builtInKeeper } from "../built-ins/keeper.ts";

/**
 * Controllers that the API server runs itself, as upstream's does, with the rights of the server.
 * @param trust undefined if there is no certificate authority (yet)
 */
export function ownControllers(list: readonly BuiltIn[], trust: ClientTrust | undefined): Controller<unknown>[] {
	const registered = list.filter(({ kind }) => kind === (apiServices as Kind)).map(({ draft }) => draft.metadata.name);
	return [
		builtInKeeper(list),
		apiServiceRegistrationController(new Set(registered.map((name = "") => name))),
		...(trust === undefined ? [] : authenticationControllers(trust)),
	];
}

/** Those that need a certificate authority, which a cluster may get after its start. */
export function authenticationControllers(trust: ClientTrust): Controller<unknown>[] {
	return [extensionAuthenticationController(trust)];
}
