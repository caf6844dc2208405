import type { Type } from "../../types/type.ts";
import type { FunctionDeclaration } from "../function.ts";
import { lists, sets } from "../lists.ts";
import { standardFunctions, standardTypes } from "../standard.ts";
import { strings } from "../strings.ts";
import { authorization, authorizationTypes } from "./authorizer.ts";
import { cidr, cidrType } from "./cidr.ts";
import { ip, ipType } from "./ip.ts";
import { jsonPatch } from "./json-patch.ts";
import { kubernetesLists } from "./kubernetes-lists.ts";
import { formatType, namedFormats } from "./named-formats.ts";
import { quantities, quantityType } from "./quantity.ts";
import { regex } from "./regex.ts";
import { semver, semverType } from "./semver.ts";
import { urls, urlType } from "./urls.ts";

/**
 * The functions that Kubernetes v1.36 enables in every expression, and no others: what is accepted here must be
 * accepted there.
 */
export const kubernetesFunctions: readonly FunctionDeclaration[] = [
	...standardFunctions,
	...strings,
	...sets,
	...lists,
	...kubernetesLists,
	...regex,
	...urls,
	...ip,
	...cidr,
	...quantities,
	...namedFormats,
	...semver,
	...authorization,
];

/** Functions for the patches of a mutating policy. */
export const patchFunctions: readonly FunctionDeclaration[] = jsonPatch;

/** The types that expressions may name. */
export const kubernetesTypes: ReadonlyMap<string, Type> = new Map([
	...standardTypes,
	...[ipType, cidrType, urlType, quantityType, formatType, semverType, ...authorizationTypes].map(
		(type) => [type.name, type] as const,
	),
]);
