// What resource-consumer and its controller are asked by POST.
"use strict";
const { body } = require("./agnhost/http.cjs");

const words = new Set(["metric"]);

/** The numbers and words of the form that the path takes. @throws where something is wrong with it */
exports.formOf = async function formOf(request, url, actions) {
	if (request.method !== "POST") throw new Error("Bad request. Not a POST request");
	const action = actions[url.pathname];
	if (action === undefined) throw new Error(`unknown function: ${url.pathname}`);
	const given = new URLSearchParams(`${url.searchParams}&${await body(request)}`);
	const form = {};
	for (const field of action.fields) {
		const text = given.get(field) ?? "";
		if (text === "") throw new Error("not given function argument");
		form[field] = words.has(field) ? text : Number(text);
		if (Number.isNaN(form[field])) throw new Error("incorrect function argument");
	}
	return form;
};
