/** Answers in protobuf. */
import type { Status } from "../../core/errors.ts";
import type { ApiResponse, ServedWatchEvent, WatchFrames } from "../../core/exchange.ts";
import type { KubeObject } from "../../core/object.ts";
import { protobufType } from "./negotiate.ts";
import { asContent, enveloped, envelopedList, frameHead, type TypeMeta, watchFrame } from "./protobuf/envelope.ts";
import { encodeObject } from "./protobuf/message-encoder.ts";
import { sharedContent, sharedMetadata } from "./protobuf/shared.ts";
import { answerTypeOf } from "./protobuf/types.ts";
import { type ListParts, listObject } from "./respond.ts";

/** What is sent of objects, and what it says it is. */
export interface ProtobufForm extends TypeMeta {
	/** The content of an envelope; shared by all who ask for it. */
	content(object: KubeObject): Buffer;
}

/** Whole objects of a type. @param type of `field-numbers.json` */
export function wholeForm(type: string, meta: TypeMeta): ProtobufForm {
	return { ...meta, content: (object) => sharedContent(object, type) };
}

/** Of any object its metadata. */
export function metadataForm(version: "v1" | "v1beta1"): ProtobufForm {
	return {
		apiVersion: `meta.k8s.io/${version}`,
		kind: "PartialObjectMetadata",
		content: ({ metadata }) => sharedMetadata(metadata),
	};
}

export function protobufObject(form: ProtobufForm, object: KubeObject, status: number): ApiResponse {
	return {
		type: "object",
		status,
		headers: { "content-type": protobufType },
		object,
		bytes: () => enveloped(form, form.content(object)),
	};
}

export function protobufList(form: ProtobufForm, list: ListParts): ApiResponse {
	const { apiVersion, kind, metadata, items } = list;
	return {
		type: "object",
		status: 200,
		headers: { "content-type": protobufType },
		get object() {
			return listObject(list);
		},
		bytes: () => {
			const contents = items.map((item) => form.content(item.object));
			return envelopedList({ apiVersion, kind }, encodeObject(metadata, "ListMeta"), contents);
		},
	};
}

/** The bytes of any other answer, which says what it is; undefined when it has no form in protobuf. */
export function protobufBytes(answer: { apiVersion?: unknown; kind?: unknown }): (() => Buffer) | undefined {
	const { apiVersion = "", kind } = answer;
	if (typeof apiVersion !== "string" || typeof kind !== "string") return undefined;
	const type = answerTypeOf(apiVersion, kind);
	if (type === undefined) return undefined;
	return () => enveloped({ apiVersion, kind }, asContent(encodeObject(answer, type)));
}

/** The events of a watch as frames, which all watchers of one form share as long as they share the event. */
export class ProtobufFrames implements WatchFrames {
	readonly headBytes = frameHead;
	readonly #form: ProtobufForm;
	readonly #ofEvents = new WeakMap<ServedWatchEvent, Buffer>();

	constructor(form: ProtobufForm) {
		this.#form = form;
	}

	event(event: ServedWatchEvent): Buffer {
		let frame = this.#ofEvents.get(event);
		if (frame === undefined) {
			frame = watchFrame(event.type, enveloped(this.#form, this.#form.content(event.object)));
			this.#ofEvents.set(event, frame);
		}
		return frame;
	}

	error(status: Status): Buffer {
		const content = asContent(encodeObject(status, "Status"));
		return watchFrame("ERROR", enveloped({ apiVersion: "v1", kind: "Status" }, content));
	}
}
