#include "store/journal_int.h"

#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    VERSION = 5,    /* of the journal and of the tables that it tells about */
    OLD_VERSION = 3 /* the first that can be taken over */
};

/* `number` is AUTOINCREMENT: a number is never given twice, also after its row was dropped. */
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS part("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, part INTEGER NOT NULL,"
    " kind TEXT NOT NULL, day INTEGER NOT NULL, done INTEGER NOT NULL, UNIQUE(id, part));"
    "CREATE INDEX IF NOT EXISTS part_open ON part(done) WHERE done = 0;"
    "CREATE TABLE IF NOT EXISTS rollup("
    " name TEXT PRIMARY KEY, upto INTEGER NOT NULL, doing INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS day("
    " name TEXT NOT NULL, day INTEGER NOT NULL, united INTEGER NOT NULL, begun INTEGER NOT "
    "NULL,"
    " PRIMARY KEY(name, day)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS day_open ON day(name, day) WHERE united = 0;";

#define DAY_CHANGED_SQL                                                                        \
    ("INSERT INTO day(name, day, united, begun) VALUES(?1, ?2, 0, 0)"                          \
     " ON CONFLICT(name, day) DO UPDATE SET united = 0")

/* Statements, prepared once. */
#define STATEMENTS(X)                                                                          \
    X(HAS, "SELECT 1 FROM part WHERE id = ?1 AND part = ?2 AND done = 1")                      \
    X(BEGIN_PART, "INSERT INTO part(id, part, kind, day, done) VALUES(?1, ?2, ?3, ?4, 0)")     \
    X(DONE, "UPDATE part SET done = 1 WHERE seq = ?1")                                         \
    X(DROP, "DELETE FROM part WHERE seq = ?1")                                                 \
    X(OPEN_PART, "SELECT id, part, seq, kind, day FROM part WHERE done = 0 ORDER BY seq")      \
    X(TRIM, "DELETE FROM part WHERE done = 1 AND seq <= ?1")                                   \
    X(ROLLUP, "SELECT upto, doing FROM rollup WHERE name = ?1")                                \
    X(ROLLUP_SET, "INSERT OR REPLACE INTO rollup(name, upto, doing) VALUES(?1, ?2, ?3)")       \
    X(DAY_CHANGED, DAY_CHANGED_SQL)                                                            \
    X(DAY_BEGUN, "SELECT begun FROM day WHERE name = ?1 AND day = ?2")                         \
    X(DAY_BEGIN, "UPDATE day SET begun = 1 WHERE name = ?1 AND day = ?2")                      \
    X(DAY_FORGET, "DELETE FROM day WHERE name = ?1")                                           \
    X(DAY_UNITED, "UPDATE day SET united = 1 WHERE name = ?1 AND day = ?2")                    \
    X(DAY_OPEN, "SELECT min(day) FROM day WHERE name = ?1 AND united = 0 AND day > ?2")

enum statement {
#define X(id, sql) id,
    STATEMENTS(X)
#undef X
    STATEMENT_COUNT
};

struct journal {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    int64_t version; /* that it was found in */
};

static enum err tell(struct journal *j, const char *what, struct fault *f)
{
    int code = sqlite3_errcode(j->db);
    enum err e = code == SQLITE_FULL    ? ERR_FULL
                 : code == SQLITE_NOMEM ? ERR_NOMEM
                 : code == SQLITE_BUSY  ? ERR_BUSY
                                        : ERR_IO;
    return fault_set(f, e, "store's journal: %s: %s", what, sqlite3_errmsg(j->db));
}

static enum err prepare_all(struct journal *j, struct fault *f)
{
    static const char *const texts[] = {
#define X(id, sql) sql,
        STATEMENTS(X)
#undef X
    };
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        if (sqlite3_prepare_v3(j->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                &j->statements[i], NULL) != SQLITE_OK)
            return tell(j, "cannot be read", f);
    return OK;
}

/* The number in the only row of an answer; 0 without one. */
static int64_t number_of(struct journal *j, const char *sql)
{
    sqlite3_stmt *s = NULL;
    int64_t number = 0;
    if (sqlite3_prepare_v2(j->db, sql, -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW)
        number = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return number;
}

/* The tables that a store's other part has go with the journal's version. */
static enum err make_tables(struct journal *j, const char *path, struct fault *f)
{
    bool there = number_of(j, "SELECT count(*) FROM sqlite_master WHERE name = 'part'") > 0;
    int64_t version = number_of(j, "PRAGMA user_version");
    if (there && (version < OLD_VERSION || version > VERSION))
        return fault_set(f, ERR_BAD,
            "%s: the store is of another version of kizashi; replay the captures into a new "
            "folder",
            path);
    j->version = there ? version : VERSION;
    struct buf sql;
    buf_init(&sql, 1 << 16);
    buf_printf(&sql, "BEGIN IMMEDIATE; %s PRAGMA user_version = %" PRId64 "; COMMIT;", schema,
        j->version);
    bool made =
        !sql.err && sqlite3_exec(j->db, (const char *)sql.data, NULL, NULL, NULL) == SQLITE_OK;
    buf_done(&sql);
    if (!made)
        return tell(j, path, f);
    return OK;
}

bool journal_is_before(const struct journal *j, int version)
{
    return j->version < version;
}

enum err journal_renew(struct journal *j, struct fault *f)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", VERSION);
    if (sqlite3_exec(j->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return tell(j, "format", f);
    j->version = VERSION;
    return OK;
}

enum err journal_open(
    struct journal **ret_journal, const char *path, bool durable, struct fault *f)
{
    struct journal *j = calloc(1, sizeof *j);
    if (!j)
        return fault_set(f, ERR_NOMEM, "store's journal: out of memory");
    enum err e = OK;
    const char *mode = durable ? "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                               : "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;";
    if (sqlite3_open(path, &j->db) != SQLITE_OK ||
        sqlite3_exec(j->db, mode, NULL, NULL, NULL) != SQLITE_OK)
        e = tell(j, path, f);
    if (!e)
        e = make_tables(j, path, f);
    if (!e)
        e = prepare_all(j, f);
    if (e) {
        journal_close(j);
        return e;
    }
    *ret_journal = j;
    return OK;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(j->statements[i]);
    sqlite3_close(j->db);
    free(j);
}

enum err journal_copy(struct journal *j, const char *path, struct fault *f)
{
    sqlite3 *to = NULL;
    enum err e = OK;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_set(
            f, errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %s", path, strerror(errno));
    close(fd);
    int code = sqlite3_open(path, &to);
    sqlite3_backup *backup =
        code == SQLITE_OK ? sqlite3_backup_init(to, "main", j->db, "main") : NULL;
    if (backup)
        code = sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
    if (code != SQLITE_DONE)
        e = fault_set(f, code == SQLITE_FULL ? ERR_FULL : ERR_IO, "%s: %s", path,
            to ? sqlite3_errmsg(to) : "out of memory");
    if (sqlite3_close(to) != SQLITE_OK && !e)
        e = fault_set(f, ERR_IO, "%s: cannot be closed", path);
    return e;
}

/* Run a statement that gives no rows. */
static enum err change(
    struct journal *j, enum statement which, const char *what, struct fault *f)
{
    sqlite3_stmt *s = j->statements[which];
    enum err e = sqlite3_step(s) == SQLITE_DONE ? OK : tell(j, what, f);
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return e;
}

enum err journal_has(
    struct journal *j, const char *id, uint32_t part, bool *ret_has, struct fault *f)
{
    sqlite3_stmt *s = j->statements[HAS];
    sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, part);
    int step = sqlite3_step(s);
    enum err e = step == SQLITE_ROW || step == SQLITE_DONE ? OK : tell(j, "look-up", f);
    if (!e)
        *ret_has = step == SQLITE_ROW;
    sqlite3_reset(s);
    return e;
}

enum err journal_begin(struct journal *j, struct journal_part *p, struct fault *f)
{
    sqlite3_stmt *s = j->statements[BEGIN_PART];
    sqlite3_bind_text(s, 1, p->id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, p->part);
    sqlite3_bind_text(s, 3, p->kind, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 4, p->day);
    enum err e = change(j, BEGIN_PART, "begin", f);
    if (e)
        return e;
    p->seq = (uint64_t)sqlite3_last_insert_rowid(j->db);
    if (p->seq % 1000 || p->seq <= JOURNAL_KEEPS)
        return OK;
    sqlite3_bind_int64(j->statements[TRIM], 1, (sqlite3_int64)(p->seq - JOURNAL_KEEPS));
    return change(j, TRIM, "trim", f);
}

enum err journal_together(struct journal *j, struct fault *f)
{
    return sqlite3_exec(j->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK
               ? OK
               : tell(j, "begin", f);
}

enum err journal_together_end(struct journal *j, enum err so_far, struct fault *f)
{
    enum err e = so_far;
    if (!e && sqlite3_exec(j->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        e = tell(j, "commit", f);
    if (e && !sqlite3_get_autocommit(j->db))
        (void)sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
    return e;
}

enum err journal_done(struct journal *j, uint64_t seq, struct fault *f)
{
    sqlite3_bind_int64(j->statements[DONE], 1, (sqlite3_int64)seq);
    return change(j, DONE, "done", f);
}

enum err journal_drop(struct journal *j, uint64_t seq, struct fault *f)
{
    sqlite3_bind_int64(j->statements[DROP], 1, (sqlite3_int64)seq);
    return change(j, DROP, "drop", f);
}

enum err journal_open_part(struct journal *j, struct journal_part *ret_part, struct fault *f)
{
    sqlite3_stmt *s = j->statements[OPEN_PART];
    int step = sqlite3_step(s);
    enum err e = step == SQLITE_ROW    ? OK
                 : step == SQLITE_DONE ? ERR_NOTFOUND
                                       : tell(j, "look-up", f);
    if (!e) {
        snprintf(ret_part->id, sizeof ret_part->id, "%s", sqlite3_column_text(s, 0));
        ret_part->part = (uint32_t)sqlite3_column_int64(s, 1);
        ret_part->seq = (uint64_t)sqlite3_column_int64(s, 2);
        snprintf(ret_part->kind, sizeof ret_part->kind, "%s", sqlite3_column_text(s, 3));
        ret_part->day = sqlite3_column_int64(s, 4);
    }
    sqlite3_reset(s);
    return e;
}

enum err journal_rollup(struct journal *j, const char *name, uint64_t *ret_upto,
    uint64_t *ret_doing, struct fault *f)
{
    sqlite3_stmt *s = j->statements[ROLLUP];
    sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    int step = sqlite3_step(s);
    enum err e = step == SQLITE_ROW || step == SQLITE_DONE ? OK : tell(j, "look-up", f);
    if (!e) {
        *ret_upto = step == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(s, 0) : 0;
        *ret_doing = step == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(s, 1) : 0;
    }
    sqlite3_reset(s);
    return e;
}

enum err journal_rollup_set(
    struct journal *j, const char *name, uint64_t upto, uint64_t doing, struct fault *f)
{
    sqlite3_stmt *s = j->statements[ROLLUP_SET];
    sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)upto);
    sqlite3_bind_int64(s, 3, (sqlite3_int64)doing);
    return change(j, ROLLUP_SET, "rollup", f);
}

static void bind_day(struct journal *j, enum statement which, const char *name, int64_t day)
{
    sqlite3_bind_text(j->statements[which], 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(j->statements[which], 2, day);
}

enum err journal_day_changed(struct journal *j, const char *name, int64_t day, struct fault *f)
{
    bind_day(j, DAY_CHANGED, name, day);
    return change(j, DAY_CHANGED, "day", f);
}

enum err journal_day_begin(
    struct journal *j, const char *name, int64_t day, bool *ret_begun, struct fault *f)
{
    sqlite3_stmt *s = j->statements[DAY_BEGUN];
    bind_day(j, DAY_BEGUN, name, day);
    int step = sqlite3_step(s);
    enum err e = step == SQLITE_ROW || step == SQLITE_DONE ? OK : tell(j, "look-up", f);
    bool begun = step == SQLITE_ROW && sqlite3_column_int64(s, 0) != 0;
    sqlite3_reset(s);
    if (!e && !begun) {
        bind_day(j, DAY_BEGIN, name, day);
        e = change(j, DAY_BEGIN, "day", f);
    }
    if (!e)
        *ret_begun = begun;
    return e;
}

enum err journal_day_forget(struct journal *j, const char *name, struct fault *f)
{
    sqlite3_bind_text(j->statements[DAY_FORGET], 1, name, -1, SQLITE_STATIC);
    return change(j, DAY_FORGET, "day", f);
}

enum err journal_day_united(struct journal *j, const char *name, int64_t day, struct fault *f)
{
    bind_day(j, DAY_UNITED, name, day);
    return change(j, DAY_UNITED, "day", f);
}

enum err journal_day_open(
    struct journal *j, const char *name, int64_t after, int64_t *ret_day, struct fault *f)
{
    sqlite3_stmt *s = j->statements[DAY_OPEN];
    bind_day(j, DAY_OPEN, name, after);
    int step = sqlite3_step(s);
    bool found = step == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL;
    enum err e = found ? OK : step == SQLITE_ROW ? ERR_NOTFOUND : tell(j, "look-up", f);
    if (!e)
        *ret_day = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return e;
}
