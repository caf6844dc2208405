/** Words in which the tables of gnostic's messages are written. */
import { isRecord } from "../../core/object.ts";
import type { ProtoField } from "../wire/protobuf/encode.ts";

export const text = (number: number): ProtoField => ({ number, type: "string" });
export const texts = (number: number): ProtoField => ({ number, type: "string", as: "list" });
export const flag = (number: number): ProtoField => ({ number, type: "boolean" });
export const integer = (number: number): ProtoField => ({ number, type: "integer" });
export const double = (number: number): ProtoField => ({ number, type: "double" });
export const one = (number: number, type: string): ProtoField => ({ number, type });
export const list = (number: number, type: string): ProtoField => ({ number, type, as: "list" });
export const map = (number: number, type: string): ProtoField => ({ number, type, as: "map" });

/** Keys that begin with `x-`, each as a named value. */
export const extensions = (number: number) => ({ others: { number, type: "yaml" }, othersPrefix: "x-" });

export const isReference = (value: unknown): boolean => isRecord(value) && "$ref" in value;
