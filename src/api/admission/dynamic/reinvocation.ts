/** Which webhooks and policies run again because the object has changed after them (reinvocationPolicy). */
import type { AdmissionAttributes, Reinvocation } from "../../server/server.ts";

/**
 * The state of the current round. In the second round, steps run again if later steps have changed the object.
 */
export function beginRound(request: AdmissionAttributes): Reinvocation {
	const { reinvocation = { isDue: false, isUnderWay: false, called: new Set(), again: new Set(), output: "" } } =
		request;
	if (reinvocation.isUnderWay && JSON.stringify(request.object) !== reinvocation.output) requireCalled(reinvocation);
	request.reinvocation = reinvocation;
	return reinvocation;
}

/** Whether a step runs: in the second round, only those that are reinvocable. */
export function isAsked({ isUnderWay, again }: Reinvocation, id: string): boolean {
	return !isUnderWay || again.has(id);
}

/** A step has run. @param isReinvocable it runs again if the object changes later */
export function asked(reinvocation: Reinvocation, id: string, changed: boolean, isReinvocable: boolean): void {
	if (changed) {
		requireCalled(reinvocation);
		reinvocation.isDue = true;
	}
	if (isReinvocable) reinvocation.called.add(id);
}

export function endRound(request: AdmissionAttributes, reinvocation: Reinvocation): void {
	reinvocation.output = JSON.stringify(request.object);
}

function requireCalled({ called, again }: Reinvocation): void {
	for (const id of called) again.add(id);
	called.clear();
}
