/**
 * In which order clients are to prefer groups, and versions of a group: higher numbers first, then groups by name and
 * versions by compareVersions. The numbers are upstream's, which the APIServices of built-in groups show.
 */

const groupPriorities: Readonly<Record<string, number>> = {
	// Above everything that an APIService may ask for.
	"apiregistration.k8s.io": 20_001,
	"": 18_000,
	apps: 17_800,
	"events.k8s.io": 17_750,
	"authentication.k8s.io": 17_700,
	"authorization.k8s.io": 17_600,
	autoscaling: 17_500,
	batch: 17_400,
	"certificates.k8s.io": 17_300,
	"networking.k8s.io": 17_200,
	policy: 17_100,
	"rbac.authorization.k8s.io": 17_000,
	"storage.k8s.io": 16_800,
	"admissionregistration.k8s.io": 16_700,
	"apiextensions.k8s.io": 16_700,
	"scheduling.k8s.io": 16_600,
	"coordination.k8s.io": 16_500,
	"node.k8s.io": 16_300,
	"discovery.k8s.io": 16_200,
	"resource.k8s.io": 16_200,
	"flowcontrol.apiserver.k8s.io": 16_100,
	"internal.apiserver.k8s.io": 16_000,
	"storagemigration.k8s.io": 15_800,
	// As metrics-server's manifests say.
	"metrics.k8s.io": 100,
};

/** Custom resources. */
const customGroupPriority = 1000;
export const customPriorities = { groupPriorityMinimum: customGroupPriority, versionPriority: 100 };

/** @param isCurrent false: there are only deprecated versions, which clients should not find first */
export function groupPriority(group: string, isCurrent: boolean): number {
	return isCurrent ? (groupPriorities[group] ?? customGroupPriority) : 1;
}

const versionPriorities: Readonly<Record<string, number>> = {
	"/v1": 1,
	"autoscaling/v2": 30,
	"autoscaling/v2beta2": 1,
	"admissionregistration.k8s.io/v1beta1": 12,
	"admissionregistration.k8s.io/v1alpha1": 9,
	"coordination.k8s.io/v1beta1": 13,
	"coordination.k8s.io/v1alpha2": 12,
	"discovery.k8s.io/v1beta1": 12,
	"events.k8s.io/v1beta1": 5,
	"flowcontrol.apiserver.k8s.io/v1": 21,
	"flowcontrol.apiserver.k8s.io/v1beta3": 18,
	"flowcontrol.apiserver.k8s.io/v1beta2": 15,
	"flowcontrol.apiserver.k8s.io/v1beta1": 12,
	"internal.apiserver.k8s.io/v1alpha1": 9,
	"metrics.k8s.io/v1beta1": 100,
};

/**
 * In built-in groups stable versions come before beta and alpha versions; custom resources have no numbers of their
 * own.
 */
export function versionPriority(group: string, version: string): number {
	if (groupPriorities[group] === undefined) return customPriorities.versionPriority;
	const listed = versionPriorities[`${group}/${version}`];
	if (listed !== undefined) return listed;
	if (/^v\d+$/.test(version)) return 15;
	return version.includes("alpha") ? 1 : 9;
}
