/** Volumes of a pod spec. */
import type { Cause } from "../../../core/errors.ts";
import { nonNegativeQuantity, oneOf, requiredOneOf, requiredText } from "../../../core/validation/field-checks.ts";
import { duplicate, forbidden, invalidEach, invalidValue, required } from "../../../core/validation/field-errors.ts";
import { configKeyProblems, dnsLabelProblems } from "../../../core/validation/names.ts";
import { validateLabelSelector } from "../../engine/label-selector.ts";
import type {
	ClusterTrustBundleProjection,
	DownwardAPIVolumeFile,
	KeyToPath,
	ProjectedVolumeSource,
	Volume,
} from "../../generated/types.ts";
import { validateFileFieldRef, validateResourceFieldRef } from "./environment.ts";
import { filePath } from "./file-path.ts";
import { pullPolicies } from "./pull-policy.ts";
import { claimSpecProblems } from "./volume-claim-spec.ts";

const hostPathTypes = [
	"",
	"BlockDevice",
	"CharDevice",
	"Directory",
	"DirectoryOrCreate",
	"File",
	"FileOrCreate",
	"Socket",
];

export function validateVolumes(volumes: readonly Volume[] | undefined, path: string): Cause[] {
	const causes: Cause[] = [];
	const names = new Set<string>();
	for (const [index, volume] of (volumes ?? []).entries()) {
		const at = `${path}[${index}]`;
		causes.push(...source(volume, at));
		if (!volume.name) causes.push(required(`${at}.name`));
		else if (names.has(volume.name)) causes.push(duplicate(`${at}.name`, volume.name));
		else causes.push(...invalidEach(`${at}.name`, volume.name, dnsLabelProblems(volume.name)));
		names.add(volume.name);
	}
	return causes;
}

function source(volume: Volume, path: string): Cause[] {
	const sources = Object.keys(volume).filter((field) => field !== "name");
	if (sources.length === 0) return [required(path, "must specify a volume type")];
	const causes = sources
		.slice(1)
		.map((extra) => forbidden(`${path}.${extra}`, "may not specify more than 1 volume type"));
	const { emptyDir, hostPath, secret, configMap, persistentVolumeClaim, downwardAPI, projected, nfs } = volume;
	const { ephemeral, image } = volume;
	if (emptyDir?.sizeLimit !== undefined)
		causes.push(
			...nonNegativeQuantity(emptyDir.sizeLimit, `${path}.emptyDir.sizeLimit`).map((cause) => ({
				...cause,
				message: "Forbidden: SizeLimit field must be a valid resource quantity",
				reason: "FieldValueForbidden",
			})),
		);
	if (hostPath !== undefined) {
		if (!hostPath.path) causes.push(required(`${path}.hostPath.path`));
		else if (hostPath.path.split("/").includes(".."))
			causes.push(invalidValue(`${path}.hostPath.path`, hostPath.path, "must not contain '..'"));
		causes.push(...oneOf(hostPath.type, hostPathTypes, `${path}.hostPath.type`));
	}
	if (secret !== undefined) {
		causes.push(...requiredText(secret.secretName, `${path}.secret.secretName`));
		causes.push(
			...mode(secret.defaultMode, `${path}.secret.defaultMode`),
			...keys(secret.items, `${path}.secret.items`),
		);
	}
	if (configMap !== undefined) {
		causes.push(...requiredText(configMap.name, `${path}.configMap.name`));
		causes.push(...mode(configMap.defaultMode, `${path}.configMap.defaultMode`));
		causes.push(...keys(configMap.items, `${path}.configMap.items`));
	}
	if (persistentVolumeClaim !== undefined)
		causes.push(...requiredText(persistentVolumeClaim.claimName, `${path}.persistentVolumeClaim.claimName`));
	if (downwardAPI !== undefined) {
		causes.push(...mode(downwardAPI.defaultMode, `${path}.downwardAPI.defaultMode`));
		causes.push(...files(downwardAPI.items, `${path}.downwardAPI`));
	}
	if (projected !== undefined) causes.push(...projection(projected, `${path}.projected`));
	if (nfs !== undefined) {
		causes.push(...requiredText(nfs.server, `${path}.nfs.server`), ...requiredText(nfs.path, `${path}.nfs.path`));
		if (nfs.path && !nfs.path.startsWith("/"))
			causes.push(invalidValue(`${path}.nfs.path`, nfs.path, "must be an absolute path"));
	}
	if (ephemeral !== undefined) {
		const template = ephemeral.volumeClaimTemplate;
		if (template === undefined) causes.push(required(`${path}.ephemeral.volumeClaimTemplate`));
		else causes.push(...claimSpecProblems(template.spec, `${path}.ephemeral.volumeClaimTemplate.spec`));
	}
	if (image !== undefined) {
		// Templates leave it to what makes pods of them.
		if (path.startsWith("spec.volumes[")) causes.push(...requiredText(image.reference, `${path}.image.reference`));
		causes.push(...requiredOneOf(image.pullPolicy, pullPolicies, `${path}.image.pullPolicy`));
	}
	if (volume.csi !== undefined) causes.push(...requiredText(volume.csi.driver, `${path}.csi.driver`));
	return causes;
}

function mode(value: number | undefined, path: string): Cause[] {
	if (value === undefined || (value >= 0 && value <= 0o777)) return [];
	return [invalidValue(path, value, "must be a number between 0 and 0777 (octal), both inclusive")];
}

function keys(items: readonly KeyToPath[] | undefined, path: string): Cause[] {
	const causes: Cause[] = [];
	for (const [index, item] of (items ?? []).entries()) {
		const at = `${path}[${index}]`;
		if (!item.key) causes.push(required(`${at}.key`));
		else causes.push(...invalidEach(`${at}.key`, item.key, configKeyProblems(item.key)));
		causes.push(...filePath(item.path, `${at}.path`), ...mode(item.mode, `${at}.mode`));
	}
	return causes;
}

function files(items: readonly DownwardAPIVolumeFile[] | undefined, path: string): Cause[] {
	const causes: Cause[] = [];
	for (const item of items ?? []) {
		causes.push(...filePath(item.path, `${path}.path`), ...mode(item.mode, `${path}.mode`));
		if (item.fieldRef !== undefined) {
			causes.push(...validateFileFieldRef(item.fieldRef, `${path}.fieldRef`));
			if (item.resourceFieldRef !== undefined)
				causes.push(
					invalidValue(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"),
				);
		} else if (item.resourceFieldRef !== undefined)
			causes.push(...validateResourceFieldRef(item.resourceFieldRef, true, `${path}.resourceFieldRef`));
		else causes.push(required(path, "one of fieldRef and resourceFieldRef is required"));
	}
	return causes;
}

function projection(projected: ProjectedVolumeSource, path: string): Cause[] {
	const causes = mode(projected.defaultMode, `${path}.defaultMode`);
	const paths = new Set<string>();
	const take = (file: string | undefined, at: string) => {
		if (file === undefined) return;
		if (paths.has(file)) causes.push(invalidValue(at, file, "conflicting duplicate paths"));
		paths.add(file);
	};
	for (const [index, item] of (projected.sources ?? []).entries()) {
		const at = `${path}.sources[${index}]`;
		const kinds = Object.keys(item);
		for (const extra of kinds.slice(1))
			causes.push(forbidden(`${at}.${extra}`, "may not specify more than 1 volume type"));
		if (kinds.length === 0) causes.push(required(at, "must specify a volume type"));
		for (const name of ["secret", "configMap"] as const) {
			const reference = item[name];
			if (reference === undefined) continue;
			causes.push(
				...requiredText(reference.name, `${at}.${name}.name`),
				...keys(reference.items, `${at}.${name}.items`),
			);
			for (const key of reference.items ?? []) take(key.path, `${at}.${name}`);
		}
		if (item.downwardAPI !== undefined) {
			causes.push(...files(item.downwardAPI.items, `${at}.downwardAPI`));
			for (const file of item.downwardAPI.items ?? []) take(file.path, `${at}.downwardAPI`);
		}
		if (item.serviceAccountToken !== undefined) {
			const { expirationSeconds, path: file } = item.serviceAccountToken;
			const seconds = `${at}.serviceAccountToken.expirationSeconds`;
			if (expirationSeconds !== undefined && expirationSeconds < 600)
				causes.push(invalidValue(seconds, expirationSeconds, "may not specify a duration less than 10 minutes"));
			if (expirationSeconds !== undefined && expirationSeconds > 2 ** 32)
				causes.push(invalidValue(seconds, expirationSeconds, "may not specify a duration larger than 2^32 seconds"));
			causes.push(...filePath(file, `${at}.serviceAccountToken.path`));
			take(file, `${at}.serviceAccountToken`);
		}
		if (item.clusterTrustBundle !== undefined) {
			causes.push(...trustBundle(item.clusterTrustBundle, `${at}.clusterTrustBundle`));
			take(item.clusterTrustBundle.path, `${at}.clusterTrustBundle`);
		}
	}
	return causes;
}

function trustBundle(
	{ name, signerName, labelSelector, path: file }: ClusterTrustBundleProjection,
	path: string,
): Cause[] {
	const causes: Cause[] = [];
	if (name !== undefined && signerName !== undefined)
		causes.push(invalidValue(path, "<value omitted>", "only one of name and signerName may be used"));
	if (name !== undefined) {
		if (name === "") causes.push(required(`${path}.name`, "must be a valid object name"));
		if (labelSelector !== undefined)
			causes.push(
				invalidValue(`${path}.labelSelector`, labelSelector, "labelSelector must be unset if name is specified"),
			);
	} else if (signerName !== undefined) {
		if (signerName === "") causes.push(required(`${path}.signerName`, "must be a valid signer name"));
		if (labelSelector !== undefined) causes.push(...validateLabelSelector(labelSelector, `${path}.labelSelector`));
	} else causes.push(required(path, "either name or signerName must be specified"));
	return [...causes, ...filePath(file, `${path}.path`)];
}
