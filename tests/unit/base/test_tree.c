#include "test.h"

#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Folders are copied, counted and removed as a whole. */

struct place {
    char folder[64];
};

static void in(const char *folder, const char *command)
{
    char line[500];
    snprintf(line, sizeof line, "cd %s && %s", folder, command);
    assert_int_equal(system(line), 0);
}

static int place_make(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    *state = p;
    snprintf(p->folder, sizeof p->folder, "/tmp/kizashi-tree-XXXXXX");
    return p && mkdtemp(p->folder) ? 0 : -1;
}

static int place_drop(void **state)
{
    struct place *p = *state;
    struct fault f;
    enum err e = tree_remove(p->folder, &f);
    free(p);
    return e;
}

static unsigned mode_of(const char *folder, const char *name)
{
    char path[128];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void copies(void **state)
{
    const struct place *p = *state;
    struct fault f = {0};
    char from[80], to[80];
    snprintf(from, sizeof from, "%s/from", p->folder);
    snprintf(to, sizeof to, "%s/to", p->folder);
    in(p->folder, "mkdir -p from/a/b && head -c 600000 /dev/urandom > from/a/b/large && "
                  "printf secret > from/a/key && : > from/empty && ln -s a/key from/link && "
                  "ln -s nowhere from/dangling && mkfifo from/pipe && chmod 640 from/a/key && "
                  "chmod 500 from/a/b && chmod 710 from/a");
    assert_int_equal(tree_copy(from, to, &f), OK);
    in(p->folder, "cmp from/a/b/large to/a/b/large && cmp from/a/key to/a/key && "
                  "cmp from/empty to/empty && test \"$(readlink to/link)\" = a/key && "
                  "test \"$(readlink to/dangling)\" = nowhere && test ! -e to/pipe");
    assert_int_equal(mode_of(to, "a/key"), 0640);
    assert_int_equal(mode_of(to, "a/b"), 0500);
    assert_int_equal(mode_of(to, "a"), 0710);
    struct tree_counts counts;
    assert_int_equal(tree_count(to, &counts, &f), OK);
    assert_int_equal(counts.files, 3);
    assert_int_equal(counts.bytes, 600000 + 6);
    /* What is there is not written over. */
    assert_int_equal(tree_copy(from, to, &f), ERR_EXISTS);
    assert_non_null(strstr(f.text, to));
    in(p->folder, "chmod 700 from/a/b to/a/b");
}

static void one_file(void **state)
{
    const struct place *p = *state;
    struct fault f = {0};
    char from[80], to[80];
    snprintf(from, sizeof from, "%s/one", p->folder);
    snprintf(to, sizeof to, "%s/other", p->folder);
    assert_int_equal(tree_copy_file(from, to, &f), ERR_IO);
    assert_non_null(strstr(f.text, from));
    in(p->folder, "printf text > one && chmod 400 one && ln -s one link");
    assert_int_equal(tree_copy_file(from, to, &f), OK);
    assert_int_equal(mode_of(p->folder, "other"), 0400);
    assert_int_equal(tree_copy_file(from, to, &f), ERR_EXISTS);
    snprintf(from, sizeof from, "%s/link", p->folder);
    snprintf(to, sizeof to, "%s/third", p->folder);
    assert_int_equal(tree_copy_file(from, to, &f), ERR_IO); /* links are not followed */
}

static void removes(void **state)
{
    const struct place *p = *state;
    struct fault f = {0};
    struct stat st;
    char path[80];
    snprintf(path, sizeof path, "%s/away", p->folder);
    assert_int_equal(tree_remove(path, &f), OK);
    in(p->folder, "mkdir stays && : > stays/file && mkdir -p away/a/b && ln -s ../../stays "
                  "away/a/link && "
                  ": > away/a/b/file");
    assert_int_equal(tree_remove(path, &f), OK);
    assert_int_equal(lstat(path, &st), -1);
    in(p->folder, "test -f stays/file");
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH("a folder is copied with its files, links and modes, to where nothing is", copies,
        place_make, place_drop),
    SAYS_WITH("a file is copied with its mode, and links are not followed", one_file,
        place_make, place_drop),
    SAYS_WITH("a folder is removed with all that is in it, and nothing that it links to",
        removes, place_make, place_drop),
};
TEST_MAIN(tests)
