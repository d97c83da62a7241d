#ifndef BASE_ERR_H
#define BASE_ERR_H

/* Every failure that a function of this project can return, once: name, number, text for
 * people. Zero is success, failures are negative, numbers are never reused (they travel between
 * programs). */
#define ERR_LIST(X)                                                                            \
    X(ERR_NOMEM, -1, "out of memory")                                                          \
    X(ERR_SHORT, -2, "input ends before the field does")                                       \
    X(ERR_BAD, -3, "input breaks its format")                                                  \
    X(ERR_RANGE, -4, "value outside its allowed range")                                        \
    X(ERR_FULL, -5, "cap reached")                                                             \
    X(ERR_NOTFOUND, -6, "no such thing")                                                       \
    X(ERR_IO, -7, "the system refused")                                                        \
    X(ERR_NOCONV, -8, "did not converge")                                                      \
    X(ERR_EXISTS, -9, "already there")                                                         \
    X(ERR_DENIED, -10, "not allowed")                                                          \
    X(ERR_BUSY, -11, "in use by another process")                                              \
    X(ERR_STOPPED, -12, "stopped on request")

enum err {
    OK = 0,
#define X(name, number, text) name = number,
    ERR_LIST(X)
#undef X
};

#define MUST_CHECK   __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Text for a failure; never NULL, never to be freed. */
const char *err_text(enum err e);

/* One failure told to a person: what went wrong, where, and what is allowed. The function that
 * meets the failure fills it, once; everybody above only passes it up. Passing NULL where a
 * function takes a fault is allowed: the text is then lost, the code is not. */
struct fault {
    enum err code;
    char text[480];
};

/* Write the sentence (no newline, no final stop) and return `code`, so that a failing function
 * can say `return fault_set(f, ERR_BAD, "%s: offset %llu: ...", ...)`. A text that is too long
 * is cut. */
enum err fault_set(struct fault *f, enum err code, const char *format, ...) PRINTF(3, 4);

#ifdef __clang_analyzer__
/* The static analyser looks at one file at a time: this tells it which code comes back. */
static inline enum err fault_returns(enum err code, enum err same)
{
    (void)same;
    return code;
}
#define fault_set(f, code, ...) fault_returns((code), (fault_set)((f), (code), __VA_ARGS__))
#endif

/* Put "prefix: " before a fault's text, for a caller that knows the file or option it belongs
 * to. */
void fault_prefix(struct fault *f, const char *prefix);

#endif
