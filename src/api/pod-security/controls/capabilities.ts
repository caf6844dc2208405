import { type Check, type Control, unlessWindows } from "./control.ts";
import { containersNamed, distinct, quoted } from "./wording.ts";

/** What containers have anyway where engines keep to Docker's defaults, save for NET_RAW. */
const defaults = new Set([
	"AUDIT_WRITE",
	"CHOWN",
	"DAC_OVERRIDE",
	"FOWNER",
	"FSETID",
	"KILL",
	"MKNOD",
	"NET_BIND_SERVICE",
	"SETFCAP",
	"SETGID",
	"SETPCAP",
	"SETUID",
	"SYS_CHROOT",
]);

/** Undefined when all that is added may be. */
function addedBeyond(
	containers: Parameters<Check>[0]["containers"],
	mayAdd: (capability: string) => boolean,
): string | undefined {
	const names: string[] = [];
	const forbidden: string[] = [];
	for (const { name, securityContext } of containers) {
		const beyond = (securityContext?.capabilities?.add ?? []).filter((capability) => !mayAdd(capability));
		if (beyond.length === 0) continue;
		names.push(name);
		forbidden.push(...beyond);
	}
	if (names.length === 0) return undefined;
	const list = quoted(distinct(forbidden));
	return `${containersNamed(names)} must not include ${list} in securityContext.capabilities.add`;
}

const noneButDefaults: Check = ({ containers }) => {
	const detail = addedBeyond(containers, (capability) => defaults.has(capability));
	return detail === undefined ? undefined : { reason: "non-default capabilities", detail };
};

export const capabilitiesBaseline: Control = {
	id: "capabilities_baseline",
	level: "baseline",
	versions: [{ since: 0, check: noneButDefaults }],
};

const allDropped: Check = ({ containers }) => {
	const keeping = containers.filter(
		({ securityContext }) => !(securityContext?.capabilities?.drop ?? []).includes("ALL"),
	);
	const details: string[] = [];
	if (keeping.length > 0) {
		const names = keeping.map(({ name }) => name);
		details.push(`${containersNamed(names)} must set securityContext.capabilities.drop=["ALL"]`);
	}
	const added = addedBeyond(containers, (capability) => capability === "NET_BIND_SERVICE");
	if (added !== undefined) details.push(added);
	return details.length === 0 ? undefined : { reason: "unrestricted capabilities", detail: details.join("; ") };
};

/** Containers drop all capabilities and add none but NET_BIND_SERVICE. */
export const capabilitiesRestricted: Control = {
	id: "capabilities_restricted",
	level: "restricted",
	versions: [
		{ since: 22, check: allDropped, replaces: capabilitiesBaseline.id },
		{ since: 25, check: unlessWindows(allDropped), replaces: capabilitiesBaseline.id },
	],
};
