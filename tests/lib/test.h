#ifndef TESTS_LIB_TEST_H
#define TESTS_LIB_TEST_H

/* Unit tests are cmocka's; the name of a test is a sentence about behaviour:
 *
 *     static const struct CMUnitTest tests[] = {
 *         SAYS("a read past the end gives zero and stays cut", read_past_end),
 *     };
 *     TEST_MAIN(tests)
 *
 * Output is TAP, which script/test counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define SAYS(sentence, function)                                                               \
    {                                                                                          \
        sentence, function, NULL, NULL, NULL                                                   \
    }
#define SAYS_WITH(sentence, function, setup, teardown)                                         \
    {                                                                                          \
        sentence, function, setup, teardown, NULL                                              \
    }

#define TEST_MAIN(tests)                                                                       \
    int main(void)                                                                             \
    {                                                                                          \
        return cmocka_run_group_tests(tests, NULL, NULL);                                      \
    }

/* The path of a real capture or list, in a buffer of the caller's; if KIZASHI_TEST_DATA is not
 * set or the file is not there, says so and skips the running test. */
static inline const char *test_data(const char *name, char path[512])
{
    const char *folder = getenv("KIZASHI_TEST_DATA");
    snprintf(path, 512, "%s/%s", folder ? folder : "", name);
    FILE *f = folder ? fopen(path, "rb") : NULL;
    if (!f) {
        fprintf(stderr, "# skipped: no test data %s\n", name);
        skip();
    }
    fclose(f);
    return path;
}

/* A file of the project's own, by its path from the top. */
static inline const char *test_source(const char *name, char path[512])
{
    const char *folder = getenv("KIZASHI_SOURCE");
    snprintf(path, 512, "%s/%s", folder ? folder : ".", name);
    return path;
}

#endif
