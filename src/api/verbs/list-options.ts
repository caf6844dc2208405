/** Which options of LIST and WATCH may be combined (`meta/v1` ListOptions; API concepts, "Resource versions"). */
import { type Cause, invalid } from "../../core/errors.ts";
import { forbidden, notSupported } from "../../core/validation/field-errors.ts";

const exact = "Exact";
const notOlderThan = "NotOlderThan";

/** @throws ApiError Invalid */
export function checkListOptions(query: URLSearchParams): void {
	const match = query.get("resourceVersionMatch") ?? "";
	const version = query.get("resourceVersion") ?? "";
	const causes: Cause[] = [];
	if (match !== "") {
		if (version === "") causes.push(aboutMatch("resourceVersionMatch is forbidden unless resourceVersion is provided"));
		causes.push(...withoutContinue(query));
		if (match !== exact && match !== notOlderThan)
			causes.push(notSupported("resourceVersionMatch", match, [exact, notOlderThan, ""]));
		if (match === exact && version === "0")
			causes.push(aboutMatch('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
	}
	if (given(query, "sendInitialEvents"))
		causes.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
	refuse(causes);
}

/** @throws ApiError Invalid */
export function checkWatchOptions(query: URLSearchParams): void {
	const match = query.get("resourceVersionMatch") ?? "";
	const initial = given(query, "sendInitialEvents");
	const causes: Cause[] = [];
	if (initial && match !== notOlderThan)
		causes.push(aboutMatch(`sendInitialEvents requires setting resourceVersionMatch to ${notOlderThan}`));
	if (match !== "") {
		if (!initial)
			causes.push(aboutMatch("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
		if (match !== notOlderThan) causes.push(notSupported("resourceVersionMatch", match, [notOlderThan]));
		causes.push(...withoutContinue(query));
	}
	refuse(causes);
}

function withoutContinue(query: URLSearchParams): Cause[] {
	if (!given(query, "continue")) return [];
	return [aboutMatch("resourceVersionMatch is forbidden when continue is provided")];
}

function aboutMatch(detail: string): Cause {
	return forbidden("resourceVersionMatch", detail);
}

function given(query: URLSearchParams, name: string): boolean {
	return (query.get(name) ?? "") !== "";
}

function refuse(causes: Cause[]): void {
	if (causes.length > 0) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", causes);
}
