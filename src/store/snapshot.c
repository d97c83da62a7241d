/* A copy of the store as it is at one moment, while it goes on: the engine links the files of
 * its parts, which never change, and the journal is copied under the same lock. A unit that is
 * being united just then is as after a crash: begun, and made anew. */
#include "store/store_int.h"

#include "base/text.h"
#include "base/tree.h"

#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the engine has linked is here, in its own folder, until it is taken out. */
#define FROZEN "kizashi_snapshot"

/* Depths below the folder of all tables: FIRST/UUID/PART. */
enum {
    TABLE_LEVEL = 2,
    PART_LEVEL = 3
};

enum err store_snapshot_clear(const struct store *s, struct fault *f)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.4000s/engine/shadow/" FROZEN, s->folder);
    return tree_remove(path, f);
}

static enum err made(const char *path, struct fault *f)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST
               ? OK
               : fault_set(
                     f, errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %s", path, strerror(errno));
}

/* Folders of tables, and the files in them that say what the tables are. */
static enum err table_take(FTS *walk, FTSENT *entry, const char *to, struct fault *f)
{
    if (entry->fts_info == FTS_D && entry->fts_level <= TABLE_LEVEL)
        return made(to, f);
    if (entry->fts_info == FTS_D)
        fts_set(walk, entry, FTS_SKIP);
    bool wanted = entry->fts_info == FTS_F && (text_ends(entry->fts_name, ".sql") ||
                                                  text_ends(entry->fts_name, "_version.txt"));
    return wanted ? tree_copy_file(entry->fts_path, to, f) : OK;
}

/* Parts that were linked go over whole. */
static enum err part_take(FTS *walk, FTSENT *entry, const char *to, struct fault *f)
{
    if (entry->fts_info != FTS_D || entry->fts_level < PART_LEVEL)
        return OK;
    fts_set(walk, entry, FTS_SKIP);
    return rename(entry->fts_path, to) == 0
               ? OK
               : fault_set(f, ERR_IO, "%s: %s", entry->fts_path, strerror(errno));
}

/* Walk through one folder of tables, with the place of each thing in another. */
static enum err each_in(const char *from, const char *to,
    enum err (*take)(FTS *walk, FTSENT *entry, const char *to, struct fault *f),
    struct fault *f)
{
    char root[PATH_MAX], place[PATH_MAX];
    snprintf(root, sizeof root, "%s", from);
    char *roots[] = {root, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!walk)
        return fault_set(f, ERR_IO, "%s: %s", from, strerror(errno));
    enum err e = OK;
    for (FTSENT *entry; !e && (entry = fts_read(walk));) {
        bool fits = snprintf(place, sizeof place, "%s%s", to, entry->fts_path + strlen(from)) <
                    (int)sizeof place;
        if (entry->fts_info == FTS_NS && entry->fts_errno == ENOENT &&
            entry->fts_level >= PART_LEVEL)
            continue; /* a part that was merged away meanwhile */
        bool read = entry->fts_info != FTS_ERR && entry->fts_info != FTS_DNR &&
                    entry->fts_info != FTS_NS;
        if (!fits || !read)
            e = fault_set(f, ERR_IO, "%s: %s", entry->fts_path,
                strerror(fits ? entry->fts_errno : ENAMETOOLONG));
        else
            e = take(walk, entry, place, f);
    }
    fts_close(walk);
    return e;
}

/* What the tables are, and what was there at this moment. The lock is held. */
static enum err moment_take(
    struct store *s, const char *folder, int64_t *ret_parts, struct fault *f)
{
    char from[PATH_MAX], to[PATH_MAX];
    snprintf(from, sizeof from, "%.4000s/engine/metadata", s->folder);
    snprintf(to, sizeof to, "%.4000s/engine/metadata", folder);
    enum err e = tree_copy(from, to, f);
    snprintf(from, sizeof from, "%.4000s/engine/store", s->folder);
    snprintf(to, sizeof to, "%.4000s/engine/store", folder);
    if (!e)
        e = each_in(from, to, table_take, f);
    snprintf(to, sizeof to, "%.4000s/journal.db", folder);
    if (!e)
        e = journal_copy(s->journal, to, f);
    if (!e)
        e = store_number(s, "SELECT count() FROM system.parts WHERE database = 'kz' AND active",
            0, ret_parts, f);
    return e ? e : store_tables_alter(s, "", "FREEZE WITH NAME '" FROZEN "'", f);
}

static enum err parts_take(const struct store *s, const char *folder, struct fault *f)
{
    char from[PATH_MAX], to[PATH_MAX];
    snprintf(from, sizeof from, "%.4000s/engine/shadow/" FROZEN "/store", s->folder);
    snprintf(to, sizeof to, "%.4000s/engine/store", folder);
    return each_in(from, to, part_take, f);
}

enum err store_snapshot(struct store *s, const char *folder, struct fault *f)
{
    char to[PATH_MAX];
    int64_t parts = 0;
    if (strlen(folder) > 4000)
        return fault_set(f, ERR_RANGE, "%.80s...: path too long", folder);
    snprintf(to, sizeof to, "%s/engine", folder);
    enum err e = store_ready(s, f);
    if (e)
        return e;
    e = made(to, f);
    pthread_mutex_lock(&s->append);
    store_land(s);
    if (!e)
        e = store_snapshot_clear(s, f); /* what one left that failed */
    if (!e)
        e = moment_take(s, folder, &parts, f);
    pthread_mutex_unlock(&s->append);
    if (!e && parts)
        e = parts_take(s, folder, f);
    enum err removed = store_snapshot_clear(s, e ? NULL : f);
    return e ? e : removed;
}
