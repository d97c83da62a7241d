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
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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
        pid_t filter = test_mend_skips();                                                      \
        int failed = cmocka_run_group_tests(tests, NULL, NULL);                                \
        test_mended(filter);                                                                   \
        return failed;                                                                         \
    }

/* cmocka 1.1.5 says "not ok 2 # SKIP name" of a skipped test, which a reader of TAP takes for a
 * failure. From here on a child of the test program reads its standard output and says "ok". */
static inline pid_t test_mend_skips(void)
{
    int ends[2];
    fflush(stdout);
    if (pipe(ends) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        close(ends[1]);
        char line[4096];
        while (fgets(line, sizeof line, stdin)) {
            bool skipped = strncmp(line, "not ok ", 7) == 0 && strstr(line, " # SKIP ");
            fputs(skipped ? line + 4 : line, stdout);
            fflush(stdout);
        }
        _exit(0);
    }
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    return child;
}

static inline void test_mended(pid_t filter)
{
    fclose(stdout);
    if (filter > 0)
        waitpid(filter, NULL, 0);
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
