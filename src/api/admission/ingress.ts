/** Sets the default class of ingresses without one. */
import type { Ingress } from "../../kinds/generated/types.ts";
import { ingresses } from "../../kinds/networking/ingress.ts";
import { ingressClasses } from "../../kinds/networking/ingressclass.ts";
import type { AdmissionStep } from "../server/admission-step.ts";
import { newestMarked } from "./newest-marked.ts";

const defaultAnnotation = "ingressclass.kubernetes.io/is-default-class";
/** The annotation that preceded the field. */
const oldClassAnnotation = "kubernetes.io/ingress.class";

export const defaultIngressClass: AdmissionStep = {
	name: "DefaultIngressClass",
	on: { operations: ["create"], kinds: [ingresses] },
	admit({ object, server }) {
		// Steps see the kinds that they ask for.
		const { spec, metadata } = object as Ingress;
		if (spec.ingressClassName !== undefined || metadata.annotations?.[oldClassAnnotation] !== undefined) return;
		const found = newestMarked(
			server,
			ingressClasses,
			({ annotations }) => annotations?.[defaultAnnotation] === "true",
		);
		if (found !== undefined) spec.ingressClassName = found;
	},
};
