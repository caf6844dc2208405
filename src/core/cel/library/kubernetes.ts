import type { Type } from "../types/type.ts";
import type { FunctionDeclaration } from "./function.ts";
import { standardFunctions, standardTypes } from "./standard.ts";

/** The functions that Kubernetes v1.36 enables, and no others. */
export const kubernetesFunctions: readonly FunctionDeclaration[] = [...standardFunctions];

/** The types that expressions may name. */
export const kubernetesTypes: ReadonlyMap<string, Type> = standardTypes;
