/** Nodes, namespaces, and objects without pods. */
import { certificateSigningRequests } from "../../kinds/certificates/certificatesigningrequest.ts";
import { configMaps } from "../../kinds/core/configmap.ts";
import { leases } from "../../kinds/core/lease.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import { nodes } from "../../kinds/core/node.ts";
import { secrets } from "../../kinds/core/secret.ts";
import { serviceAccounts } from "../../kinds/core/serviceaccount.ts";
import {
	addAmounts,
	conditions,
	created,
	deletion,
	info,
	ofKind,
	oneOf,
	owners,
	resourceVersion,
	unixTime,
	value,
} from "./family.ts";

const rolePrefix = "node-role.kubernetes.io/";

export const nodeFamilies = ofKind(nodes, ({ metadata }) => ({ node: metadata.name }), [
	info("kube_node_info", "Information about the node", ({ spec, status }) => {
		const about = status?.nodeInfo;
		return {
			kernel_version: about?.kernelVersion,
			os_image: about?.osImage,
			container_runtime_version: about?.containerRuntimeVersion,
			kubelet_version: about?.kubeletVersion,
			// Upstream names it no more.
			kubeproxy_version: "deprecated",
			provider_id: spec?.providerID,
			pod_cidr: spec?.podCIDR,
			system_uuid: about?.systemUUID,
			internal_ip: status?.addresses?.find(({ type }) => type === "InternalIP")?.address,
		};
	}),
	created("node"),
	deletion("node"),
	{
		name: "kube_node_role",
		help: "Roles of the node",
		each({ metadata: { labels = {} } }, add) {
			for (const label of Object.keys(labels))
				if (label.startsWith(rolePrefix)) add(1, { role: label.slice(rolePrefix.length) });
		},
	},
	value("kube_node_spec_unschedulable", "Whether it is cordoned", ({ spec }) => (spec?.unschedulable === true ? 1 : 0)),
	{
		name: "kube_node_spec_taint",
		help: "Taints of the node",
		each({ spec }, add) {
			for (const { key, value: text, effect } of spec?.taints ?? []) add(1, { key, value: text, effect });
		},
	},
	{
		name: "kube_node_spec_pod_cidrs",
		help: "Address range of its pods",
		each({ spec }, add) {
			for (const range of spec?.podCIDRs ?? []) add(1, { pod_cidr: range });
		},
	},
	{
		name: "kube_node_status_addresses",
		help: "Addresses",
		each({ status }, add) {
			for (const { type, address } of status?.addresses ?? []) add(1, { type, address });
		},
	},
	{
		name: "kube_node_status_capacity",
		help: "Capacity by resource",
		each({ status }, add) {
			addAmounts(add, status?.capacity);
		},
	},
	{
		name: "kube_node_status_allocatable",
		help: "Resources that are allocatable to pods",
		each({ status }, add) {
			addAmounts(add, status?.allocatable);
		},
	},
	conditions("kube_node_status_condition", "Conditions by type and status", ({ status }) => status?.conditions),
]);

export const namespaceFamilies = ofKind(namespaces, ({ metadata }) => ({ namespace: metadata.name }), [
	created("namespace"),
	oneOf(
		"kube_namespace_status_phase",
		"Current phase",
		"phase",
		["Active", "Terminating"],
		({ status }) => status?.phase,
	),
	conditions("kube_namespace_status_condition", "Conditions by type and status", ({ status }) => status?.conditions),
]);

export const configMapFamilies = ofKind(
	configMaps,
	({ metadata: { namespace, name } }) => ({ namespace, configmap: name }),
	[info("kube_configmap_info", "Information about the ConfigMap"), created("configmap"), resourceVersion("configmap")],
);

/** Without the data of Secrets. */
export const secretFamilies = ofKind(secrets, ({ metadata: { namespace, name } }) => ({ namespace, secret: name }), [
	info("kube_secret_info", "Information about the Secret"),
	info("kube_secret_type", "Type", ({ type }) => ({ type })),
	owners("secret"),
	created("secret"),
	resourceVersion("secret"),
]);

export const serviceAccountFamilies = ofKind(
	serviceAccounts,
	({ metadata: { namespace, name, uid } }) => ({ namespace, serviceaccount: name, uid }),
	[
		info(
			"kube_serviceaccount_info",
			"Information about the service account",
			({ automountServiceAccountToken: mounts }) => (mounts === undefined ? {} : { automount_token: String(mounts) }),
		),
		created("serviceaccount"),
		value("kube_serviceaccount_deleted", "Time from which it is deleted, in Unix time", ({ metadata }) =>
			unixTime(metadata.deletionTimestamp),
		),
		{
			name: "kube_serviceaccount_secret",
			help: "Secrets that it references",
			each({ secrets: named = [] }, add) {
				for (const { name } of named) add(1, { name });
			},
		},
		{
			name: "kube_serviceaccount_image_pull_secret",
			help: "Secrets for pulling images",
			each({ imagePullSecrets = [] }, add) {
				for (const { name } of imagePullSecrets) add(1, { name });
			},
		},
	],
);

export const leaseFamilies = ofKind(leases, ({ metadata: { namespace, name } }) => ({ lease: name, namespace }), [
	{
		name: "kube_lease_owner",
		help: "Owner and holder",
		each({ metadata: { ownerReferences = [] }, spec }, add) {
			const holder = { lease_holder: spec?.holderIdentity };
			if (ownerReferences.length === 0) add(1, { owner_kind: "", owner_name: "", ...holder });
			for (const { kind, name } of ownerReferences) add(1, { owner_kind: kind, owner_name: name, ...holder });
		},
	},
	value("kube_lease_renew_time", "Last renewal in Unix time", ({ spec }) => unixTime(spec?.renewTime)),
]);

export const certificateFamilies = ofKind(
	certificateSigningRequests,
	({ metadata, spec }) => ({ certificatesigningrequest: metadata.name, signer_name: spec.signerName }),
	[
		created("certificatesigningrequest"),
		{
			name: "kube_certificatesigningrequest_condition",
			help: "Conditions by type",
			each({ status }, add) {
				for (const type of ["Approved", "Denied", "Failed"]) {
					const count = (status?.conditions ?? []).filter((one) => one.type === type).length;
					add(count, { condition: type.toLowerCase() });
				}
			},
		},
		value("kube_certificatesigningrequest_cert_length", "Size of the certificate in bytes", ({ status }) =>
			Buffer.byteLength(status?.certificate ?? "", "base64"),
		),
	],
);
