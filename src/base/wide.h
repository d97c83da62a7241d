#ifndef BASE_WIDE_H
#define BASE_WIDE_H

/* A function compiled also for wider registers, and for processors that count bits; the loader
 * takes what the machine has. Clang's sanitizers, and the thread sanitizer, run before such a
 * choice can be made. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                         \
    !defined(__SANITIZE_THREAD__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

/* Before a loop: its rounds do not depend on each other, and the compiler may take many in one
 * go also where it cannot see that what they read lies apart from what they write. */
#if defined(__GNUC__) && !defined(__clang__)
#define APART _Pragma("GCC ivdep")
#else
#define APART
#endif

#endif
