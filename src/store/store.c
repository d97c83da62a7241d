#include "store/store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* One process owns the folder: a lock that the system releases when the process ends, and its
 * number for the message to others. */
static enum err take_lock(struct store *s, struct fault *f)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/lock", s->folder);
    s->lock_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_file < 0)
        return fault_set(
            f, errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %s", path, strerror(errno));
    if (flock(s->lock_file, LOCK_EX | LOCK_NB) != 0) {
        char owner[32] = "";
        ssize_t len = pread(s->lock_file, owner, sizeof owner - 1, 0);
        owner[len > 0 ? len : 0] = 0;
        owner[strspn(owner, "0123456789")] = 0;
        return fault_set(f, ERR_BUSY,
            "%s: in use by process %s; one process may have a store "
            "open",
            s->folder, owner[0] ? owner : "(unknown)");
    }
    char mine[32];
    int len = snprintf(mine, sizeof mine, "%ld\n", (long)getpid());
    if (ftruncate(s->lock_file, 0) != 0 || pwrite(s->lock_file, mine, (size_t)len, 0) != len)
        return fault_set(
            f, errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %s", path, strerror(errno));
    return OK;
}

/* A store that an earlier version made gets the columns that have come since. */
static enum err add_columns(struct store *s, const struct record *kind, const char *table,
    struct buf *sql, struct fault *f)
{
    buf_clear(sql);
    schema_record_columns(&s->dialect, kind, table, sql);
    return chdb_write(s->chdb, (const char *)sql->data, f);
}

static enum err make_database(struct store *s, struct fault *f)
{
    return chdb_write(s->chdb, "CREATE DATABASE IF NOT EXISTS kz ENGINE = Atomic", f);
}

static enum err make_tables(struct store *s, struct fault *f)
{
    struct buf sql;
    enum err e = OK;
    buf_init(&sql, STORE_SQL_MAX);
    for (size_t i = 0; !e && record_all[i]; i++) {
        buf_clear(&sql);
        schema_record_table(&s->dialect, record_all[i], &sql);
        e = chdb_write(s->chdb, (const char *)sql.data, f);
        e = e ? e : add_columns(s, record_all[i], record_all[i]->name, &sql, f);
    }
    for (size_t i = 0; !e && i < s->view.roll_count; i++) {
        buf_clear(&sql);
        const struct roll *r = &s->view.rolls[i];
        if (r->how == ROLL_SUMS)
            schema_rollup_table(&s->dialect, r->rollup, &sql);
        else if (r->how == ROLL_BUSIEST)
            schema_busiest_table(&s->dialect, &sql);
        else
            schema_by_source_table(&s->dialect, &sql);
        e = chdb_write(s->chdb, (const char *)sql.data, f);
        if (!e && r->how == ROLL_BY_SOURCE)
            e = add_columns(s, &record_contact, CONTACT_BY_SOURCE, &sql, f);
    }
    for (size_t i = 0; !e && i < s->view.united_count; i++) {
        const struct united *u = &s->view.unites[i];
        if (u->how != UNITED_SUMS && u->how != UNITED_SOURCES)
            continue; /* was made above, or is below */
        buf_clear(&sql);
        if (u->how == UNITED_SUMS)
            schema_rollup_table(&s->dialect, u->rollup, &sql);
        else
            schema_busiest_hours_table(&s->dialect, &sql);
        e = chdb_write(s->chdb, (const char *)sql.data, f);
    }
    buf_done(&sql);
    return e;
}

static enum err make_tables_of_tags(struct store *s, struct fault *f)
{
    struct buf sql;
    buf_init(&sql, STORE_SQL_MAX);
    schema_screened_table(&s->dialect, &sql);
    enum err e = chdb_write(s->chdb, (const char *)sql.data, f);
    buf_clear(&sql);
    schema_busiest_tags_table(&s->dialect, &sql);
    if (!e)
        e = chdb_write(s->chdb, (const char *)sql.data, f);
    for (size_t i = 0; !e && i < rollup_count; i++) {
        if (!rollups[i].tags)
            continue;
        buf_clear(&sql);
        schema_rollup_table(&s->dialect, &rollups[i], &sql);
        e = chdb_write(s->chdb, (const char *)sql.data, f);
    }
    buf_done(&sql);
    return e;
}

enum err store_tables_alter(
    struct store *s, const char *where, const char *how, struct fault *f)
{
    char sql[512];
    struct buf names;
    buf_init(&names, STORE_SQL_MAX);
    snprintf(sql, sizeof sql,
        "SELECT name FROM system.tables WHERE database = 'kz' AND engine LIKE '%%MergeTree'%s",
        where);
    enum err e = chdb_read(s->chdb, sql, &names, f);
    buf_u8(&names, 0);
    if (!e && names.err)
        e = fault_set(f, names.err, "store: %s", err_text(names.err));
    char *rest = NULL;
    char *name = e ? NULL : strtok_r((char *)names.data, "\n", &rest);
    for (; !e && name; name = strtok_r(NULL, "\n", &rest)) {
        snprintf(sql, sizeof sql, "ALTER TABLE kz.%.100s %s", name, how);
        e = chdb_write(s->chdb, sql, f);
    }
    buf_done(&names);
    return e;
}

/* Tables that were made by who needed no sync, a replay, sync from now on. */
static enum err make_durable(struct store *s, struct fault *f)
{
    return store_tables_alter(s, " AND position(create_table_query, 'fsync_after_insert') = 0",
        "MODIFY SETTING " SCHEMA_DURABLE, f);
}

/* The folder, made if it is missing, by its whole name: a relative one the engine puts before
 * its files twice when it syncs them. */
static enum err find_folder(struct store *s, struct fault *f)
{
    char whole[PATH_MAX];
    _Static_assert(sizeof s->folder >= sizeof whole, "a whole name fits");
    if ((mkdir(s->folder, 0700) != 0 && errno != EEXIST) || !realpath(s->folder, whole))
        return fault_set(
            f, errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %s", s->folder, strerror(errno));
    snprintf(s->folder, sizeof s->folder, "%s", whole);
    return OK;
}

/* What tells at once that a store cannot be opened: its folder, who has it, and the journal's
 * version. */
static enum err open_folder(struct store *s, struct fault *f)
{
    char path[4200];
    enum err e = find_folder(s, f);
    if (!e)
        e = take_lock(s, f);
    if (!e)
        e = chdb_find(s->options.library, s->library, f);
    if (e)
        return e;
    snprintf(path, sizeof path, "%s/journal.db", s->folder);
    return journal_open(&s->journal, path, s->options.durable, f);
}

/* The rest, which takes a third of a second: the library has half a gigabyte. */
static enum err open_engine(struct store *s, struct fault *f)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/engine", s->folder);
    struct chdb_options options = {.library = s->library, .folder = path};
    enum err e = store_snapshot_clear(s, f);
    if (!e)
        e = chdb_open(&s->chdb, &options, f);
    if (!e)
        e = make_database(s, f);
    if (!e)
        e = store_upgrade_begin(s, f);
    if (!e)
        e = make_tables(s, f);
    if (!e)
        e = make_tables_of_tags(s, f);
    if (!e && s->options.durable)
        e = make_durable(s, f);
    if (!e)
        e = store_upgrade_end(s, f);
    if (!e)
        e = store_recover(s, f);
    return e;
}

/* --- opening beside other work ------------------------------------------------------------ */

static void *opener_thread(void *context)
{
    struct store *s = context;
    struct fault f = {0};
    enum err e = open_engine(s, &f);
    pthread_mutex_lock(&s->opening);
    s->failed = e && !f.code ? (struct fault){.code = e} : f;
    if (!e && s->hurry_asked)
        store_hurry_begin(s);
    s->ready = true;
    pthread_cond_broadcast(&s->opened);
    pthread_mutex_unlock(&s->opening);
    return NULL;
}

static enum err open_parts(struct store *s, struct fault *f)
{
    enum err e = open_folder(s, f);
    if (e)
        return e;
    if (s->options.aside && pthread_create(&s->opener, NULL, opener_thread, s) == 0) {
        s->opener_runs = true;
        return OK;
    }
    s->ready = true;
    return open_engine(s, f);
}

enum err store_ready(struct store *s, struct fault *f)
{
    pthread_mutex_lock(&s->opening);
    while (!s->ready)
        pthread_cond_wait(&s->opened, &s->opening);
    enum err e = s->failed.code;
    pthread_mutex_unlock(&s->opening);
    if (e && f)
        *f = s->failed;
    return e;
}

bool store_hurry_later(struct store *s)
{
    pthread_mutex_lock(&s->opening);
    bool later = !s->ready;
    s->hurry_asked = s->hurry_asked || later;
    pthread_mutex_unlock(&s->opening);
    return later;
}

static void set_defaults(struct store *s, const struct store_options *options)
{
    s->options = *options;
    if (!s->options.keep_packets)
        s->options.keep_packets = 30 * US_DAY;
    if (!s->options.keep_contacts)
        s->options.keep_contacts = 90 * US_DAY;
    if (!s->options.keep_rollups)
        s->options.keep_rollups = 5 * 365 * US_DAY;
    s->dialect = (struct dialect){.newer = true, .durable = s->options.durable};
    s->view.first_start = INT64_MAX;
    s->view.last_start = INT64_MIN;
    s->view.screened_last = INT64_MIN;
    s->batch = record_contact;
    s->batch.max_rows = WAITING_MAX;
    struct view *v = &s->view;
    for (size_t i = 0; i < rollup_count; i++)
        if (rollups[i].tags)
            continue; /* all together, below */
        else if (rollups[i].from)
            v->unites[v->united_count++] = (struct united){
                .name = rollups[i].name, .rollup = &rollups[i], .unit = rollups[i].unit};
        else
            v->rolls[v->roll_count++] =
                (struct roll){.name = rollups[i].name, .rollup = &rollups[i]};
    v->rolls[v->roll_count++] = (struct roll){.name = BUSIEST_SOURCES, .how = ROLL_BUSIEST};
    v->rolls[v->roll_count++] = (struct roll){.name = CONTACT_BY_SOURCE, .how = ROLL_BY_SOURCE};
    v->unites[v->united_count++] =
        (struct united){.name = BUSIEST_HOURS, .how = UNITED_SOURCES, .unit = US_HOUR};
    v->unites[v->united_count++] =
        (struct united){.name = CONTACT_BY_SOURCE, .how = UNITED_BY_SOURCE, .unit = US_DAY};
    v->unites[v->united_count++] =
        (struct united){.name = "tags_once", .how = UNITED_TAGS, .unit = US_HOUR};
    v->unites[v->united_count++] =
        (struct united){.name = "tags_day", .how = UNITED_TAG_DAYS, .unit = US_DAY};
}

enum err store_open(struct store **ret_store, const char *data,
    const struct store_options *options, struct fault *f)
{
    if (strlen(data) >= sizeof((struct store *)0)->folder)
        return fault_set(f, ERR_RANGE, "data folder: its path is longer than 4,095 bytes");
    struct store *s = calloc(1, sizeof *s);
    if (!s)
        return fault_set(f, ERR_NOMEM, "store: out of memory");
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&s->removal, &attributes);
    pthread_rwlock_init(&s->viewing, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    pthread_mutex_init(&s->packets, NULL);
    pthread_mutex_init(&s->append, NULL);
    pthread_cond_init(&s->landed, NULL);
    pthread_mutex_init(&s->opening, NULL);
    pthread_cond_init(&s->opened, NULL);
    buf_init(&s->wire, STORE_WIRE_MAX);
    buf_init(&s->packet_wire, STORE_WIRE_MAX);
    snprintf(s->folder, sizeof s->folder, "%s", data);
    s->lock_file = -1;
    set_defaults(s, options);
    s->rolling.numbered = s->dialect.newer;
    s->numbers = malloc(STORE_GROUP_ROWS * sizeof *s->numbers);
    enum err e = s->numbers ? block_new(&s->waiting, &s->batch, WAITING_MAX) : ERR_NOMEM;
    if (!e)
        e = block_new(&s->joined, &s->batch, STORE_GROUP_ROWS);
    if (!e)
        e = block_new(&s->sorted, &s->batch, WAITING_MAX);
    if (e)
        e = fault_set(f, e, "store: out of memory");
    else
        e = open_parts(s, f);
    if (e) {
        store_close(s);
        return e;
    }
    *ret_store = s;
    return OK;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    if (s->opener_runs)
        pthread_join(s->opener, NULL);
    chdb_close(s->chdb);
    journal_close(s->journal);
    if (s->lock_file >= 0)
        close(s->lock_file);
    buf_done(&s->wire);
    buf_done(&s->packet_wire);
    block_free(s->waiting);
    block_free(s->joined);
    block_free(s->sorted);
    free(s->numbers);
    rolling_done(&s->rolling);
    order_done(&s->order);
    view_done(&s->view);
    pthread_cond_destroy(&s->landed);
    pthread_mutex_destroy(&s->append);
    pthread_mutex_destroy(&s->packets);
    pthread_cond_destroy(&s->opened);
    pthread_mutex_destroy(&s->opening);
    pthread_rwlock_destroy(&s->viewing);
    pthread_rwlock_destroy(&s->removal);
    free(s);
}

/* --- retention ---------------------------------------------------------------------------- */

static int64_t keep_of(const struct store *s, const char *table, int64_t *ret_partition)
{
    *ret_partition = RECORD_PARTITION;
    if (strcmp(table, record_packet.name) == 0)
        return s->options.keep_packets;
    if (strcmp(table, record_contact.name) == 0 || strcmp(table, CONTACT_BY_SOURCE) == 0 ||
        strcmp(table, BUSIEST_SOURCES) == 0 || strcmp(table, BUSIEST_HOURS) == 0 ||
        strcmp(table, BUSIEST_TAGS) == 0 || strcmp(table, record_tagged.name) == 0 ||
        strcmp(table, record_screening.name) == 0)
        return s->options.keep_contacts;
    for (size_t i = 0; i < rollup_count; i++)
        if (strcmp(table, rollups[i].name) == 0)
            *ret_partition = ROLLUP_PARTITION;
    return s->options.keep_rollups;
}

struct old_part {
    char *table;
    int64_t number, from, to; /* its partition, and the time that it is of */
    uint64_t rows;
};

/* "table, partition, rows" in a line, which is cut into pieces. */
static bool part_read(char *line, struct old_part *ret_part)
{
    char *tab = strchr(line, '\t');
    char *end;
    if (!tab)
        return false;
    *tab = 0;
    *ret_part = (struct old_part){.table = line, .number = strtoll(tab + 1, &end, 10)};
    ret_part->rows = strtoull(end, NULL, 10);
    return true;
}

/* Are there windows of that time that were screened, and not united by tags yet? */
static enum err tags_are_waited_for(
    struct store *s, const struct old_part *p, bool *ret_waited, struct fault *f)
{
    char sql[160];
    int64_t windows = 0;
    enum err e = OK;
    snprintf(sql, sizeof sql,
        "SELECT count() FROM kz.screening WHERE tag = '' AND start >= %" PRId64
        " AND start < %" PRId64,
        p->from, p->to);
    if (!store_tags_are_united(s, p->number))
        e = store_number(s, sql, 0, &windows, f);
    if (!e)
        *ret_waited = windows > 0;
    return e;
}

/* A partition of contacts, and of what screening says of them, goes only when all that is
 * summed up from it, which is kept longer, has been. */
static enum err part_is_wanted(
    struct store *s, const struct old_part *p, bool *ret_wanted, struct fault *f)
{
    bool contacts = strcmp(p->table, record_contact.name) == 0;
    *ret_wanted = contacts && (s->behind || (s->waiting->rows && s->waiting_day == p->number));
    if (*ret_wanted || !(contacts || strcmp(p->table, record_tagged.name) == 0 ||
                           strcmp(p->table, record_screening.name) == 0))
        return OK;
    return tags_are_waited_for(s, p, ret_wanted, f);
}

static bool part_is_old(const struct store *s, int64_t now, struct old_part *p)
{
    int64_t length = 0;
    if (strcmp(p->table, SCREENED_CONTACTS) == 0)
        return false; /* is kept for minutes */
    int64_t keep = keep_of(s, p->table, &length);
    p->from = p->number * length;
    p->to = p->from + length;
    return p->to <= now - keep;
}

static enum err part_drop(
    struct store *s, const struct old_part *p, struct store_expired *x, struct fault *f)
{
    char sql[256];
    snprintf(sql, sizeof sql, "ALTER TABLE kz.%s DROP PARTITION %" PRId64, p->table, p->number);
    pthread_rwlock_wrlock(&s->removal);
    enum err e = chdb_write(s->chdb, sql, f);
    pthread_rwlock_unlock(&s->removal);
    if (e)
        return e;
    x->from = !x->to || p->from < x->from ? p->from : x->from;
    x->to = p->to > x->to ? p->to : x->to;
    uint64_t *rows = strcmp(p->table, record_packet.name) == 0    ? &x->packets
                     : strcmp(p->table, record_contact.name) == 0 ? &x->contacts
                                                                  : &x->sums;
    *rows += p->rows;
    return OK;
}

enum err store_expire(
    struct store *s, int64_t now, struct store_expired *ret_expired, struct fault *f)
{
    struct buf out;
    struct old_part part;
    *ret_expired = (struct store_expired){0};
    enum err e = store_ready(s, f);
    if (e)
        return e;
    buf_init(&out, STORE_SQL_MAX);
    pthread_mutex_lock(&s->append);
    e = chdb_read(s->chdb,
        "SELECT table, partition, sum(rows) FROM system.parts WHERE database = 'kz' AND active "
        "GROUP BY table, partition",
        &out, f);
    char *rest = NULL;
    char *line = e || !out.len ? NULL : strtok_r((char *)out.data, "\n", &rest);
    for (; !e && line; line = strtok_r(NULL, "\n", &rest)) {
        if (!part_read(line, &part) || !part_is_old(s, now, &part))
            continue;
        bool wanted = false;
        e = part_is_wanted(s, &part, &wanted, f);
        ret_expired->waits = ret_expired->waits || wanted;
        if (!e && !wanted)
            e = part_drop(s, &part, ret_expired, f);
    }
    pthread_mutex_unlock(&s->append);
    buf_done(&out);
    return e;
}

enum err store_usage(struct store *s, struct store_usage *ret_usage, struct fault *f)
{
    struct buf out;
    struct statvfs disk;
    struct store_usage u = {0};
    enum err e = store_ready(s, f);
    if (e)
        return e;
    if (statvfs(s->folder, &disk) != 0)
        return fault_set(f, ERR_IO, "%s: %s", s->folder, strerror(errno));
    buf_init(&out, 4096);
    e = chdb_read(s->chdb,
        "SELECT sum(bytes_on_disk), sumIf(rows, table = 'packet'), sumIf(rows, table = "
        "'contact') FROM system.parts WHERE database = 'kz' AND active",
        &out, f);
    int64_t sums[3] = {0};
    if (!e && (!out.len || store_numbers((const char *)out.data, sums, 3)))
        e = fault_set(f, ERR_BAD, "store: its parts cannot be counted");
    buf_done(&out);
    if (e)
        return e;
    u.disk_bytes = (uint64_t)sums[0];
    u.packets = (uint64_t)sums[1];
    u.contacts = (uint64_t)sums[2];
    u.disk_free = (uint64_t)disk.f_bavail * disk.f_frsize;
    snprintf(u.version, sizeof u.version, "ClickHouse %s (chDB)", chdb_engine(s->chdb));
    *ret_usage = u;
    return OK;
}
