/** Limits of `resource.k8s.io/v1` in v1.36. Lengths are in bytes. */
export const limits = {
	/** Domains of attributes, which are names of drivers. */
	domainLength: 63,
	/** Names of attributes and capacities without their domain. */
	nameLength: 32,
	/** Strings and versions of attributes. */
	valueLength: 64,
	poolNameLength: 253,
	attributesPerDevice: 32,
	devices: 128,
	/** In a slice with a device that has taints or consumes counters. */
	devicesWithExtras: 64,
	counterSets: 8,
	counters: 32,
	consumptionsPerDevice: 2,
	taints: 16,
	tolerations: 16,
	bindingConditions: 4,
	validValues: 10,
	requests: 32,
	alternatives: 8,
	constraints: 32,
	configurations: 32,
	selectors: 32,
	expressionLength: 10 * 1024,
	/** In units of CEL, as an estimate of an expression and as the most that an evaluation may cost. */
	expressionCost: 1_000_000,
	parametersLength: 10 * 1024,
	allocatedDevices: 32,
	consumers: 256,
	deviceConditions: 8,
	interfaceNameLength: 256,
	hardwareAddressLength: 128,
	addresses: 16,
} as const;
