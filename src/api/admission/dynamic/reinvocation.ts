/** Which webhooks and policies are asked again because the object has changed after them. */
import type { AdmissionAttributes, Reinvocation } from "../../server/server.ts";

/**
 * What is known of the round that begins. In the second one, those that were asked before are asked again if steps in
 * between have changed the object.
 */
export function beginRound(request: AdmissionAttributes): Reinvocation {
	const { reinvocation = { isDue: false, isUnderWay: false, called: new Set(), again: new Set(), output: "" } } =
		request;
	if (reinvocation.isUnderWay && JSON.stringify(request.object) !== reinvocation.output) requireCalled(reinvocation);
	request.reinvocation = reinvocation;
	return reinvocation;
}

/** Whether it is the turn of one: in the second round it is only of those that have asked for it. */
export function isAsked({ isUnderWay, again }: Reinvocation, id: string): boolean {
	return !isUnderWay || again.has(id);
}

/** One has been asked. @param isReinvocable it wants to be asked again when the object changes later */
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
