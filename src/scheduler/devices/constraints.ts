/** Constraints across the devices of a claim. */

import type { DeviceAttribute, DeviceConstraint } from "../../kinds/generated/types.ts";
import { domainAndId } from "../../kinds/resource/device-expression.ts";
import type { PooledDevice } from "./pools.ts";

/** Once it refuses a device, more devices never change that, so that a search can stop early. */
export interface Constraint {
	/** Adds a device for a request, which may be `request/alternative`. @returns false when it must not be added */
	add(request: string, device: PooledDevice): boolean;
	/** Takes back what was added last. */
	remove(request: string, device: PooledDevice): void;
}

export function constraintOf({ requests = [], matchAttribute, distinctAttribute }: DeviceConstraint): Constraint {
	const concerned = new Set(requests);
	const concerns = (request: string) =>
		concerned.size === 0 || concerned.has(request) || concerned.has(request.split("/", 1)[0] ?? "");
	const attribute = matchAttribute ?? distinctAttribute ?? "";
	const values: string[] = [];
	return {
		add(request, device) {
			if (!concerns(request)) return true;
			const value = attributeText(device, attribute);
			if (value === undefined) return false;
			const isSame = values.includes(value);
			if (values.length > 0 && isSame !== (matchAttribute !== undefined)) return false;
			values.push(value);
			return true;
		},
		remove(request) {
			if (concerns(request)) values.pop();
		},
	};
}

/** A text that is equal for equal values; undefined when the device lacks the attribute. */
function attributeText({ device, driver }: PooledDevice, name: string): string | undefined {
	const [domain, id] = domainAndId(name, driver);
	const attribute = device.attributes?.[name] ?? (domain === driver ? device.attributes?.[id] : undefined);
	return attribute && textOf(attribute);
}

function textOf(attribute: DeviceAttribute): string | undefined {
	for (const type of ["string", "int", "bool", "version"] as const)
		if (attribute[type] !== undefined) return `${type}:${attribute[type]}`;
	return undefined;
}
