import { apiServiceRegistrationController } from "../../controllers/apiservice-registration/controller.ts";
import type { Controller } from "../../controllers/runtime/controller.ts";
import { apiServices } from "../../kinds/apiregistration/apiservice.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { BuiltIn } from "./built-in.ts";
import { builtInKeeper } from "./keeper.ts";

/** Controllers that the API server runs itself, as upstream's does, with the rights of the server. */
export function ownControllers(list: readonly BuiltIn[]): Controller<unknown>[] {
	const registered = list.filter(({ kind }) => kind === (apiServices as Kind)).map(({ draft }) => draft.metadata.name);
	return [builtInKeeper(list), apiServiceRegistrationController(new Set(registered.map((name = "") => name)))];
}
