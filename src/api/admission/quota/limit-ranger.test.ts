import { expect, test } from "vitest";
import { testApi } from "../../testing/test-api.ts";

const namespace = "/api/v1/namespaces/default";

async function withLimits(...limits: object[]) {
	const api = await testApi({ namespaces: ["default"] });
	await api.ask("POST", `${namespace}/serviceaccounts`, { metadata: { name: "default" } });
	const created = await api.ask("POST", `${namespace}/limitranges`, { metadata: { name: "l" }, spec: { limits } });
	expect(created.status).toBe(201);
	return api;
}

function pod(resources: object, more: object = {}) {
	return {
		metadata: { name: "x" },
		spec: { containers: [{ name: "web", image: "web", resources }], ...more },
	};
}

async function refusal(limits: object, resources: object, more: object = {}): Promise<string> {
	const api = await withLimits(limits);
	const { object, status } = await api.ask("POST", `${namespace}/pods`, pod(resources, more));
	expect(status).toBe(403);
	await api.close();
	return object.message.replace('pods "x" is forbidden: ', "");
}

test("containers get what they do not ask for, and the pod says so", async () => {
	const api = await withLimits({
		type: "Container",
		default: { cpu: "500m", memory: "512Mi" },
		defaultRequest: { cpu: "250m", memory: "256Mi" },
	});
	const more = { initContainers: [{ name: "setup", image: "web", resources: { requests: { cpu: "100m" } } }] };
	const { object } = await api.ask("POST", `${namespace}/pods`, pod({ limits: { memory: "300Mi" } }, more));
	expect(object.spec.containers[0].resources).toEqual({
		limits: { cpu: "500m", memory: "300Mi" },
		requests: { cpu: "250m", memory: "300Mi" },
	});
	expect(object.spec.initContainers[0].resources).toEqual({
		limits: { cpu: "500m", memory: "512Mi" },
		requests: { cpu: "100m", memory: "256Mi" },
	});
	expect(object.metadata.annotations["kubernetes.io/limit-ranger"]).toBe(
		"LimitRanger plugin set: cpu request for container web; cpu limit for container web; " +
			"memory request for init container setup; cpu, memory limit for init container setup",
	);
	expect(object.status.qosClass).toBe("Burstable");
	await api.close();
});

test("a container may ask for no less than the minimum", async () => {
	const least = { type: "Container", min: { memory: "100Mi" } };
	expect(await refusal(least, { requests: { memory: "50Mi" } })).toBe(
		"minimum memory usage per Container is 100Mi, but request is 50Mi",
	);
	const api = await withLimits(least);
	// Without a word it gets the minimum.
	const { object } = await api.ask("POST", `${namespace}/pods`, pod({}));
	expect(object.spec.containers[0].resources).toEqual({ requests: { memory: "100Mi" } });
	await api.close();
});

test("a container may ask for no more than the maximum", async () => {
	const most = { type: "Container", max: { cpu: "1", memory: "1Gi" } };
	expect(await refusal(most, { limits: { cpu: "2", memory: "2Gi" } })).toBe(
		"[maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 2Gi]",
	);
});

test("limits are no more than so many times the requests", async () => {
	const ratio = { type: "Container", maxLimitRequestRatio: { cpu: "2" } };
	expect(await refusal(ratio, { limits: { cpu: "1" }, requests: { cpu: "300m" } })).toBe(
		"cpu max limit to request ratio per Container is 2, but provided ratio is 3.333333",
	);
	expect(await refusal(ratio, {})).toBe(
		"cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
	);
});

test("pods are measured as a whole", async () => {
	const whole = { type: "Pod", max: { cpu: "1" } };
	expect(await refusal(whole, { requests: { cpu: "100m" } })).toBe(
		"maximum cpu usage per Pod is 1. No limit is specified",
	);
	const two = { initContainers: [{ name: "setup", image: "web", resources: { limits: { cpu: "3" } } }] };
	expect(await refusal(whole, { limits: { cpu: "500m" } }, two)).toBe("maximum cpu usage per Pod is 1, but limit is 3");
});

test("claims are neither too small nor too large, nor become so", async () => {
	const api = await withLimits({ type: "PersistentVolumeClaim", min: { storage: "1Gi" }, max: { storage: "5Gi" } });
	const claim = (storage: string) => ({
		metadata: { name: "x" },
		spec: { volumeName: "v", accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } },
	});
	const ask = async (storage: string) =>
		(await api.ask("POST", `${namespace}/persistentvolumeclaims`, claim(storage))).object;
	expect((await ask("512Mi")).message).toBe(
		'persistentvolumeclaims "x" is forbidden: minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 512Mi',
	);
	expect((await ask("6Gi")).message).toBe(
		'persistentvolumeclaims "x" is forbidden: maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 6Gi',
	);
	const made = await ask("2Gi");
	const path = `${namespace}/persistentvolumeclaims/x`;
	const bound = await api.ask("PUT", `${path}/status`, { ...made, status: { phase: "Bound" } });
	const grown = { ...bound.object, spec: { ...made.spec, resources: { requests: { storage: "6Gi" } } } };
	expect((await api.ask("PUT", path, grown)).object.message).toContain("but request is 6Gi");
	await api.close();
});
