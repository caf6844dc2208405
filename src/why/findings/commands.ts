/** Commands that show what a finding says; the namespace is named unless it is kubectl's default. */

export interface Commands {
	describe(type: string, name: string): string;
	logs(pod: string, container: string, previous: boolean): string;
	get(what: string): string;
	remove(type: string, name: string): string;
}

export function commandsIn(namespace: string): Commands {
	const flag = namespace === "default" ? "" : ` -n ${namespace}`;
	const scope = (type: string) => (type === "node" ? "" : flag);
	return {
		describe: (type, name) => `kubectl describe ${type} ${name}${scope(type)}`,
		logs: (pod, container, previous) => `kubectl logs ${pod} -c ${container}${flag}${previous ? " --previous" : ""}`,
		get: (what) => `kubectl get ${what}${flag}`,
		remove: (type, name) => `kubectl delete ${type} ${name}${scope(type)}`,
	};
}
