/* Strings, numbers, and errors in words. */
#ifndef TEXT_H
#define TEXT_H

#include "sys.h"

static word length_of(const char *text) {
	word length = 0;
	while (text[length] != 0) length++;
	return length;
}

static int same(const char *a, const char *b) {
	while (*a != 0 && *a == *b) a++, b++;
	return *a == *b;
}

static int has(const char *text, char wanted) {
	for (; *text != 0; text++)
		if (*text == wanted) return 1;
	return 0;
}

/* Decimal; stops at what is no digit. */
static word number(const char *text) {
	word value = 0;
	for (; *text >= '0' && *text <= '9'; text++) value = value * 10 + (word)(*text - '0');
	return value;
}

/* Texts put one after the other; what is too long is cut off. */
struct text {
	word length;
	char bytes[4096];
};

static void add(struct text *to, const char *from) {
	for (; *from != 0 && to->length < sizeof to->bytes - 1; from++) to->bytes[to->length++] = *from;
	to->bytes[to->length] = 0;
}

static void add_number(struct text *to, word value) {
	char digits[24];
	int at = sizeof digits - 1;
	digits[at] = 0;
	do digits[--at] = (char)('0' + value % 10);
	while ((value /= 10) != 0);
	add(to, digits + at);
}

static const char *error_words(long error) {
	switch (-error) {
	case EPERM: return "operation not permitted";
	case ENOENT: return "no such file or directory";
	case ESRCH: return "no such process";
	case EIO: return "input/output error";
	case E2BIG: return "argument list too long";
	case ENOEXEC: return "exec format error";
	case EAGAIN: return "resource temporarily unavailable";
	case ENOMEM: return "cannot allocate memory";
	case EACCES: return "permission denied";
	case EBUSY: return "device or resource busy";
	case EEXIST: return "file exists";
	case EXDEV: return "a link leads out of the volume";
	case ENODEV: return "no such device";
	case ENOTDIR: return "not a directory";
	case EISDIR: return "is a directory";
	case EINVAL: return "invalid argument";
	case EMFILE: return "too many open files";
	case ETXTBSY: return "text file busy";
	case ENOSPC: return "no space left on device";
	case EROFS: return "read-only file system";
	case ENAMETOOLONG: return "file name too long";
	case ENOSYS: return "function not implemented";
	case ELOOP: return "too many levels of symbolic links";
	case EOVERFLOW: return "value too large for defined data type";
	case EDQUOT: return "disk quota exceeded";
	case ECONNRESET: return "connection reset";
	default: return 0;
	}
}

static void add_error(struct text *to, long error) {
	const char *words = error_words(error);
	if (words != 0) {
		add(to, words);
		return;
	}
	add(to, "errno ");
	add_number(to, (word)-error);
}
#endif
