/* Sets of rules: making them. */
#include "sensor/fingerprint.h"

#include "sensor/signature_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POOL_MAX = 1 << 20
};

static const struct {
    size_t size;
    uint32_t most;
} part_kinds[PART_KINDS] = {
    [PART_CLAUSE] = {sizeof(struct clause), UINT16_MAX},
    [PART_TEST] = {sizeof(struct test), UINT16_MAX},
    [PART_RELATION] = {sizeof(struct relation), UINT16_MAX},
    [PART_PROGRAM] = {sizeof(struct program), UINT16_MAX},
    [PART_CODE] = {sizeof(struct code), CODE_MAX},
};

void *set_append(struct fingerprints *set, struct rules_reader *r, enum part_kind kind)
{
    struct parts *p = &set->part[kind];
    size_t size = part_kinds[kind].size;
    if (p->count == p->room) {
        uint32_t room = p->room ? p->room * 2 : 64;
        room = room > part_kinds[kind].most ? part_kinds[kind].most : room;
        void *at = room == p->count ? NULL : realloc(p->at, room * size);
        if (!at) {
            rules_fail(r, r->token.place, "the rules are too large together");
            return NULL;
        }
        p->at = at;
        p->room = room;
    }
    return (char *)p->at + p->count++ * size;
}

/* Rules from text; all or nothing. Not yet in the lists of what is tried. */
static enum err add_rules(
    struct fingerprints *set, const char *name, struct bytes text, struct fault *f)
{
    size_t rules = set->rule_count, pairs = set->pair_count, pool = set->pool_count;
    struct parts before[PART_KINDS];
    memcpy(before, set->part, sizeof before);
    enum err e = signatures_read(set, name, text, f);
    if (e) {
        set->rule_count = rules;
        set->pair_count = pairs;
        set->pool_count = pool;
        for (int k = 0; k < PART_KINDS; k++)
            set->part[k].count = before[k].count;
    }
    return e;
}

static enum err lay_out(struct fingerprints *set, const char *name, struct fault *f)
{
    enum err e = trials_lay_out(set);
    return e ? fault_set(f, e, "%s: no memory for its rules", name) : OK;
}

enum err fingerprints_add(
    struct fingerprints *set, const char *name, struct bytes text, struct fault *f)
{
    enum err e = add_rules(set, name, text, f);
    return e ? e : lay_out(set, name, f);
}

enum err fingerprints_new(struct fingerprints **ret_set, struct fault *f)
{
    static const char name[] = "built-in signatures";
    struct fingerprints *set = calloc(1, sizeof *set);
    char *pool = malloc(POOL_MAX);
    if (!set || !pool) {
        free(set);
        free(pool);
        return fault_set(f, ERR_NOMEM, "no memory for the built-in signatures");
    }
    set->pool = pool;
    set->pool_room = POOL_MAX;
    enum err e = OK;
    for (size_t i = 0; !e && signature_builtin[i]; i++)
        e = add_rules(
            set, name, bytes_over(signature_builtin[i], strlen(signature_builtin[i])), f);
    if (!e)
        e = lay_out(set, name, f);
    if (e) {
        fingerprints_free(set);
        return e;
    }
    *ret_set = set;
    return OK;
}

void fingerprints_free(struct fingerprints *set)
{
    if (!set)
        return;
    for (int k = 0; k < PART_KINDS; k++)
        free(set->part[k].at);
    trials_done(set);
    free(set->pool);
    free(set);
}

enum err fingerprints_add_file(struct fingerprints *set, const char *path, struct fault *f)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return fault_set(f, ERR_IO, "%s: cannot be opened: %s", path, strerror(errno));
    char *text = malloc(SIGNATURE_FILE_MAX + 1);
    enum err e = OK;
    size_t len = 0;
    if (!text)
        e = fault_set(f, ERR_NOMEM, "%s: no memory to read it", path);
    if (!e) {
        len = fread(text, 1, SIGNATURE_FILE_MAX + 1, file);
        if (ferror(file))
            e = fault_set(f, ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
        else if (len > SIGNATURE_FILE_MAX)
            e = fault_set(f, ERR_FULL, "%s: longer than %d bytes", path, SIGNATURE_FILE_MAX);
    }
    if (!e)
        e = fingerprints_add(set, path, bytes_over(text, len), f);
    free(text);
    fclose(file);
    return e;
}

size_t fingerprints_count(const struct fingerprints *set)
{
    return set->rule_count;
}

const struct signature *fingerprints_at(const struct fingerprints *set, size_t rule)
{
    return &set->rule[rule].shown;
}
