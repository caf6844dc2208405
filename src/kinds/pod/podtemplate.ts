import { column, labelsText, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { PodTemplate } from "../generated/types.ts";
import { validatePodTemplate } from "./pod-template.ts";
import { setPodTemplateDefaults } from "./spec/defaults.ts";

export const podTemplates: Kind<PodTemplate> = {
	group: "",
	version: "v1",
	kind: "PodTemplate",
	plural: "podtemplates",
	singular: "podtemplate",
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: "PodTemplate",
	subresources: {},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	returnsDeleted: true,
	selectableFields: [],
	columns: [
		nameColumn,
		column("Containers", "Names of the containers.", ({ template }) =>
			(template?.spec?.containers ?? []).map((container) => container.name).join(","),
		),
		column("Images", "Images of the containers.", ({ template }) =>
			(template?.spec?.containers ?? []).map((container) => container.image ?? "").join(","),
		),
		column("Pod Labels", "Labels of pods made from it.", ({ template }) => labelsText(template?.metadata?.labels)),
	],

	setDefaults: setPodTemplateDefaults,
	validate: ({ template }) => validatePodTemplate(template, "template"),
};
