/**
 * What encloses a message: Kubernetes' envelope, lists, and the events of a watch (API concepts, "Protobuf encoding").
 */
import { WireWriter } from "../../../core/protobuf/wire-writer.ts";

/** The first bytes of every object. */
export const magic = Buffer.from("k8s\0");

/** An object's `apiVersion` and `kind`. */
export interface TypeMeta {
	/** Empty for an `APIVersions`. */
	apiVersion: string;
	kind: string;
}

/** The number of the field that contains the object of an envelope, and the items of a list. */
const content = 2;
/** Content encoding and content type: always present, always empty. */
const envelopeEnd = Buffer.from([0x1a, 0, 0x22, 0]);

/** A message as the content of an envelope or an item of a list: with the tag and length that it has in both. */
export function asContent(message: Uint8Array): Buffer {
	const writer = new WireWriter(message.length + 16);
	writer.raw(content, message);
	return writer.bytes();
}

/** @param inner what `asContent` made */
export function enveloped(type: TypeMeta, inner: Buffer): Buffer {
	return Buffer.concat([envelopeStart(type), inner, envelopeEnd]);
}

/**
 * An envelope with a list, as parts that are not copied.
 * @param metadata the message of its metadata
 * @param items what `asContent` made
 */
export function envelopedList(type: TypeMeta, metadata: Buffer, items: readonly Buffer[]): Uint8Array[] {
	const head = new WireWriter();
	head.raw(1, metadata);
	const start = head.bytes();
	let byteCount = start.length;
	for (const item of items) byteCount += item.length;
	const tag = new WireWriter();
	tag.length(content, byteCount);
	return [envelopeStart(type), tag.bytes(), start, ...items, envelopeEnd];
}

function envelopeStart({ apiVersion, kind }: TypeMeta): Buffer {
	const writer = new WireWriter();
	const start = writer.begin(1);
	writer.text(1, apiVersion);
	writer.text(2, kind);
	writer.end(start);
	return Buffer.concat([magic, writer.bytes()]);
}

/** An event of a watch: its length in four bytes, and the message WatchEvent. @param object with its envelope */
export function watchFrame(type: string, object: Buffer): Buffer {
	const writer = new WireWriter(object.length + 48);
	writer.text(1, type);
	const start = writer.begin(2);
	writer.raw(1, object);
	writer.end(start);
	const message = writer.bytes();
	const length = Buffer.alloc(frameHead);
	length.writeUInt32BE(message.length);
	return Buffer.concat([length, message]);
}

/** The bytes before the message of a frame. */
export const frameHead = 4;
