/**
 * The reason of aborts that nobody reads. Without one, `abort()` makes an error with a stack each time, which
 * takes longer than the abort.
 */
export const aborted = new DOMException("This operation was aborted", "AbortError");
