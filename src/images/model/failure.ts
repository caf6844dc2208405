/**
 * Why an image cannot be had. `unreachable`: nobody answered; `denied`: credentials are missing or wrong; `missing`: the
 * registry has no such image; `limited`: the registry asks to wait; `invalid`: the image is damaged or not supported;
 * `refused`: the image is hostile or too large; `failed`: everything else.
 */
export type FailureKind = "unreachable" | "denied" | "missing" | "limited" | "invalid" | "refused" | "failed";

/** A failure in words for users: of a pull, an import, or a stored image. */
export class ImageFailure extends Error {
	readonly kind: FailureKind;

	constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
		super(message, options);
		this.name = "ImageFailure";
		this.kind = kind;
	}
}
