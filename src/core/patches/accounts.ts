/**
 * Accounts (lists of managedFields entries) that objects share as far as they are alike. What most objects of a kind
 * have in common is the form of their account: managers and their sets, apart from times and particular keys. An
 * object has little more than these for itself.
 */
import type { ManagedFieldsEntry } from "../object.ts";
import type { FieldSet } from "./field-set.ts";
import { SetForm, withPlaces } from "./set-forms.ts";
import { Step, stepsMade } from "./trails.ts";

export interface Account {
	readonly form: AccountForm;
	readonly keys: readonly string[];
	/** In the order of the form's. */
	readonly entries: readonly Entry[];
}

/** How an account becomes another one. */
export interface Transition {
	readonly form: AccountForm;
	/** Where the keys are among the previous account's and the change's; undefined: they are the previous account's. */
	readonly keys: readonly number[] | undefined;
	/** For each entry, the previous one that has its set; -1: none has. */
	readonly sets: readonly number[];
	/** For each entry, the previous one that has its time; -1: it is now. */
	readonly times: readonly number[];
}

/** An entry that has all it should. */
export type Entry = Required<Omit<ManagedFieldsEntry, "subresource" | "fieldsV1">> &
	Pick<ManagedFieldsEntry, "subresource"> & { fieldsV1: FieldSet };

const accounts = new WeakMap<object, Account>();

/** Undefined when the list did not come out of this module. */
export function accountOf(list: object): Account | undefined {
	return accounts.get(list);
}

/** Forms, sets and steps are forgotten when they take about this much. */
const mostBytes = 4 * 2 ** 20;
const bytesPerStep = 64;
let forms = new Map<string, AccountForm>();
let sets = new Map<string, SetForm>();
let heldBytes = 0;
let stepsBefore = 0;
/** Those that something was learnt of, also if they are forgotten: objects may have them still. */
let learnt = new Set<AccountForm>();

function forgetWhatIsTooMuch(): void {
	if (heldBytes + (stepsMade() - stepsBefore) * bytesPerStep < mostBytes) return;
	for (const form of learnt) form.forget();
	learnt = new Set();
	forms = new Map();
	sets = new Map();
	heldBytes = 0;
	stepsBefore = stepsMade();
}

export class AccountForm {
	readonly #entries: readonly EntryForm[];
	#trails: Step<Transition> | undefined;
	/** The last one without particular keys: objects that are written in the same second have it, too. */
	#last: { account: Account; list: readonly ManagedFieldsEntry[] } | undefined;

	constructor(entries: readonly EntryForm[]) {
		this.#entries = entries;
	}

	/** Where all changes of objects with such an account begin. */
	get trails(): Step<Transition> {
		forgetWhatIsTooMuch();
		if (this.#trails === undefined) {
			this.#trails = new Step();
			learnt.add(this);
		}
		return this.#trails;
	}

	forget(): void {
		this.#trails = undefined;
		this.#last = undefined;
	}

	entry(index: number, time: string, keys: readonly string[]): Entry {
		const form = this.#entries[index];
		if (form === undefined) throw new Error(`an account has no entry at ${index}`);
		return form.entry(time, keys);
	}

	/** @param entries in the order of the form's, frozen */
	list(entries: readonly Entry[], keys: readonly string[]): readonly ManagedFieldsEntry[] {
		const last = this.#last;
		if (last !== undefined && areIdentical(last.account.entries, entries)) return last.list;
		const list = Object.freeze(byTime(entries));
		const account = { form: this, keys, entries };
		accounts.set(list, account);
		if (keys.length === 0) this.#last = { account, list };
		return list;
	}

	json(list: readonly ManagedFieldsEntry[], { entries, keys }: Account): string {
		let text = "[";
		for (const entry of list) {
			// All of them are in there.
			const index = entries.indexOf(entry as Entry);
			text += `${text === "[" ? "" : ","}${this.#entries[index]?.json(entry.time, keys)}`;
		}
		return `${text}]`;
	}
}

function areIdentical(one: readonly Entry[], other: readonly Entry[]): boolean {
	for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false;
	return one.length === other.length;
}

/** Of entries in the order of operations and names: appliers first, then by time, as upstream stores them. */
function byTime(entries: readonly Entry[]): readonly Entry[] {
	for (let index = 1; index < entries.length; index++) {
		const [one, other] = [entries[index - 1], entries[index]];
		if (one === undefined || other === undefined || one.operation !== other.operation) continue;
		if (one.time > other.time)
			return entries.toSorted((a, b) => compareTexts(a.operation, b.operation) || compareTexts(a.time, b.time));
	}
	return entries;
}

function compareTexts(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

type Head = Pick<Entry, "manager" | "operation" | "apiVersion" | "subresource">;

/** A set with particular keys, which is made when someone reads it. */
interface UnreadSet {
	readonly form: SetForm;
	readonly keys: readonly string[];
	set?: FieldSet;
}

const unreadSets = new WeakMap<object, UnreadSet>();

/** The same for all entries, so that they have one hidden class. */
const setWhenRead = {
	enumerable: true,
	get(this: object): FieldSet | undefined {
		const unread = unreadSets.get(this);
		if (unread === undefined) return undefined;
		unread.set ??= unread.form.filled(unread.keys);
		return unread.set;
	},
};

class EntryForm {
	readonly #head: Head;
	readonly #set: SetForm;
	readonly #opening: string;
	readonly #closing: string;
	/** The last one without particular keys. */
	#last: Entry | undefined;

	constructor({ manager, operation, apiVersion, subresource }: Head, set: SetForm) {
		this.#head = { manager, operation, apiVersion, subresource };
		this.#set = set;
		this.#opening = `${JSON.stringify({ manager, operation, apiVersion }).slice(0, -1)},"time":"`;
		this.#closing = subresource === undefined ? "}" : `,"subresource":${JSON.stringify(subresource)}}`;
	}

	entry(time: string, keys: readonly string[]): Entry {
		if (this.#last?.time === time) return this.#last;
		const { manager, operation, apiVersion, subresource } = this.#head;
		const known: Omit<Entry, "fieldsV1"> = { manager, operation, apiVersion, time, fieldsType: "FieldsV1" };
		// It gets its fieldsV1 here.
		const entry = known as Entry;
		if (this.#set.hasKeys) {
			// Few of these sets are ever read, and they cannot be shared.
			Object.defineProperty(entry, "fieldsV1", setWhenRead);
			unreadSets.set(entry, { form: this.#set, keys });
		} else {
			entry.fieldsV1 = this.#set.set;
			this.#last = entry;
		}
		if (subresource !== undefined) entry.subresource = subresource;
		return Object.freeze(entry);
	}

	json(time: string | undefined, keys: readonly string[]): string {
		return `${this.#opening}${time}","fieldsType":"FieldsV1","fieldsV1":${this.#set.json(keys)}${this.#closing}`;
	}
}

/** An empty account. */
const nobodys = new AccountForm([]).list([], []);

/** The list itself, or an equal one that shares what it can; a list that has not all it should is left as it is. */
export function shared(list: readonly ManagedFieldsEntry[]): readonly ManagedFieldsEntry[] {
	if (accounts.has(list)) return list;
	if (list.length === 0) return nobodys;
	if (!list.every(isWhole)) return list;
	const sorted = list.toSorted(compareHeads);
	for (let index = 1; index < sorted.length; index++) {
		const [one, other] = [sorted[index - 1], sorted[index]];
		if (one !== undefined && other !== undefined && compareHeads(one, other) === 0) return list;
	}
	forgetWhatIsTooMuch();
	const keys: string[] = [];
	const found = sorted.map((entry) => ({ entry, set: setForm(entry.fieldsV1, keys) }));
	const id = JSON.stringify(
		found.map(({ entry, set }) => [entry.manager, entry.operation, entry.apiVersion, entry.subresource, set.id]),
	);
	let form = forms.get(id);
	if (form === undefined) {
		form = new AccountForm(found.map(({ entry, set }) => new EntryForm(entry, set)));
		forms.set(id, form);
		heldBytes += 2 * id.length;
	}
	const known = form;
	return known.list(
		sorted.map(({ time }, index) => known.entry(index, time, keys)),
		keys,
	);
}

function compareHeads(a: Head, b: Head): number {
	return (
		compareTexts(a.operation, b.operation) ||
		compareTexts(a.manager, b.manager) ||
		compareTexts(a.apiVersion, b.apiVersion) ||
		compareTexts(a.subresource ?? "", b.subresource ?? "")
	);
}

const timeForm = /^[-\dT:.Z+]*$/;

function isWhole(entry: ManagedFieldsEntry): entry is Entry {
	const { manager, operation, apiVersion, time, fieldsType, fieldsV1, subresource } = entry;
	return (
		typeof manager === "string" &&
		typeof operation === "string" &&
		typeof apiVersion === "string" &&
		typeof time === "string" &&
		timeForm.test(time) &&
		fieldsType === "FieldsV1" &&
		typeof fieldsV1 === "object" &&
		fieldsV1 !== null &&
		(subresource === undefined || typeof subresource === "string")
	);
}

/** @param keys of the account so far; the set's are added */
function setForm(set: FieldSet, keys: string[]): SetForm {
	const node = withPlaces(set, keys);
	const text = JSON.stringify(node);
	let form = sets.get(text);
	if (form === undefined) {
		form = new SetForm(++lastSet, node, text);
		sets.set(text, form);
		// The text is held twice, and the nodes take more.
		heldBytes += 6 * text.length;
	}
	return form;
}

let lastSet = 0;

export function accountJson(list: readonly ManagedFieldsEntry[]): string {
	const account = accounts.get(list);
	return account === undefined ? JSON.stringify(list) : account.form.json(list, account);
}
