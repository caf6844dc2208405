/** How the value of a field is laid out: the lowest three bits of its tag. */
export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

export type WireType = (typeof wireTypes)[keyof typeof wireTypes];
