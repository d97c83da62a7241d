#ifndef TESTS_LIB_STORE_TEST_H
#define TESTS_LIB_STORE_TEST_H

/* A store in a folder of its own, for tests. */
#include "store/chdb_find.h"
#include "store/store.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline int remove_entry(
    const char *path, const struct stat *status, int flag, struct FTW *ftw)
{
    (void)status;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline void remove_folder(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* False where the store's engine is not installed, or cannot run: the sanitizers replace the
 * memory allocator that it brings along. */
static inline bool store_is_possible(void)
{
    struct fault f = {0};
    char path[CHDB_PATH];
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    fprintf(stderr, "# skipped: the store's engine does not run under sanitizers\n");
    return false;
#endif
#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                     \
    __has_feature(memory_sanitizer)
    fprintf(stderr, "# skipped: the store's engine does not run under sanitizers\n");
    return false;
#endif
#endif
    if (chdb_find(NULL, path, &f) == OK)
        return true;
    fprintf(stderr, "# skipped: %s\n", f.text);
    return false;
}

/* A new folder under $TMPDIR or /tmp; the caller removes it with remove_folder(). */
static inline void new_folder(char path[256])
{
    const char *top = getenv("TMPDIR");
    snprintf(path, 256, "%s/kizashi-test-XXXXXX", top && *top ? top : "/tmp");
    assert_non_null(mkdtemp(path));
}

/* Every other network has a name, and one that needs care. */
static inline const char *name_of_odd(void *context, uint32_t asn)
{
    (void)context;
    return asn % 2 ? "=ODD, \"the first\"" : "";
}

static inline struct store *open_store(const char *folder)
{
    struct store *s = NULL;
    struct fault f = {0};
    struct store_options options = {.durable = true, .names = {NULL, name_of_odd}};
    if (store_open(&s, folder, &options, &f))
        fail_msg("%s", f.text);
    return s;
}

/* All the upkeep there is to do. */
static inline void keep_up(struct store *s)
{
    struct fault f = {0};
    for (bool more = true; more;)
        if (store_upkeep(s, &more, &f))
            fail_msg("%s", f.text);
}

static inline void append_block(struct store *s, const struct block *b, const char *id)
{
    struct fault f = {0};
    if (store_append(s, b, id, &f))
        fail_msg("%s", f.text);
}

#endif
