#include "store/catalog_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each row brings the file from the version of its place to the next; rows are added, never
 * changed. */
static const char *const migrations[] = {
    "CREATE TABLE user (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, role INTEGER NOT "
    "NULL,"
    " password TEXT NOT NULL, created INTEGER NOT NULL, seen INTEGER NOT NULL DEFAULT 0,"
    " disabled INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE session (hash BLOB PRIMARY KEY, user INTEGER NOT NULL REFERENCES user(id)"
    " ON DELETE CASCADE, csrf TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT "
    "NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE token (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, name TEXT NOT NULL,"
    " role INTEGER NOT NULL, made_by TEXT NOT NULL, created INTEGER NOT NULL,"
    " used INTEGER NOT NULL DEFAULT 0, expires INTEGER NOT NULL DEFAULT 0,"
    " revoked INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE alert (id TEXT PRIMARY KEY, time INTEGER NOT NULL, start INTEGER NOT NULL,"
    " \"end\" INTEGER NOT NULL, severity INTEGER NOT NULL, kind TEXT NOT NULL, open INTEGER "
    "NOT NULL,"
    " revision INTEGER NOT NULL, json TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0,"
    " note TEXT NOT NULL DEFAULT '', changed_by TEXT NOT NULL DEFAULT '',"
    " changed INTEGER NOT NULL DEFAULT 0, seq INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX alert_time ON alert(time DESC, id DESC);"
    "CREATE UNIQUE INDEX alert_seq ON alert(seq);"
    "CREATE TABLE engine_state (engine TEXT PRIMARY KEY, window_end INTEGER NOT NULL,"
    " data BLOB NOT NULL);"
    "CREATE TABLE site (name TEXT PRIMARY KEY, first_seen INTEGER NOT NULL,"
    " addresses INTEGER NOT NULL, source TEXT NOT NULL, note TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE import (site TEXT NOT NULL, digest BLOB NOT NULL, file TEXT NOT NULL,"
    " size INTEGER NOT NULL, finished INTEGER NOT NULL, rows INTEGER NOT NULL,"
    " PRIMARY KEY (site, digest)) WITHOUT ROWID;"
    "CREATE TABLE dataset (name TEXT PRIMARY KEY, origin TEXT NOT NULL, dated TEXT NOT NULL,"
    " rows INTEGER NOT NULL, loaded INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE audit (seq INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL,"
    " who TEXT NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL);"
    "CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN"
    " SELECT raise(ABORT, 'the audit log is not changed'); END;"
    "CREATE TRIGGER audit_keeps BEFORE DELETE ON audit BEGIN"
    " SELECT raise(ABORT, 'the audit log is not changed'); END;",
    "CREATE TABLE site_event (seq INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL,"
    " time INTEGER NOT NULL, since INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT "
    "NULL,"
    " detail TEXT NOT NULL);"
    "CREATE INDEX site_event_site ON site_event(site, seq);"
    "CREATE TABLE fleet_watched (time INTEGER NOT NULL);"
    "INSERT INTO fleet_watched VALUES (0);"
    "CREATE TABLE site_config (site TEXT NOT NULL, version INTEGER NOT NULL, time INTEGER NOT "
    "NULL, who TEXT NOT NULL, note TEXT NOT NULL, applied INTEGER NOT NULL DEFAULT 0,"
    " took INTEGER NOT NULL DEFAULT 0, refused TEXT NOT NULL DEFAULT '',"
    " document BLOB NOT NULL, PRIMARY KEY (site, version)) WITHOUT ROWID;"
    "CREATE TABLE site_power (site TEXT PRIMARY KEY, kind TEXT NOT NULL, address TEXT NOT "
    "NULL, user TEXT NOT NULL, secret TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE site_action (id INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL,"
    " what TEXT NOT NULL, subject TEXT NOT NULL, who TEXT NOT NULL, asked INTEGER NOT NULL,"
    " finished INTEGER NOT NULL DEFAULT 0, result TEXT NOT NULL DEFAULT '');"
    "CREATE INDEX site_action_site ON site_action(site, id);",
    "CREATE TABLE remote_site (name TEXT PRIMARY KEY, added INTEGER NOT NULL,"
    " addresses INTEGER NOT NULL, token BLOB UNIQUE, token_expires INTEGER NOT NULL,"
    " enrolled INTEGER NOT NULL DEFAULT 0, expires INTEGER NOT NULL DEFAULT 0,"
    " serial TEXT NOT NULL DEFAULT '', revoked INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
    "CREATE TABLE bus_position (site TEXT NOT NULL, spool INTEGER NOT NULL,"
    " committed INTEGER NOT NULL, lost INTEGER NOT NULL, used INTEGER NOT NULL,"
    " PRIMARY KEY (site, spool)) WITHOUT ROWID;",
    "ALTER TABLE alert ADD COLUMN rule INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE alert ADD COLUMN back TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX alert_rule ON alert(rule) WHERE rule > 0;"
    "CREATE TABLE rule (id INTEGER PRIMARY KEY AUTOINCREMENT, alert TEXT NOT NULL,"
    " scope TEXT NOT NULL, severity INTEGER NOT NULL, state INTEGER NOT NULL,"
    " why TEXT NOT NULL, made_by TEXT NOT NULL, made INTEGER NOT NULL, until INTEGER NOT NULL,"
    " revoked INTEGER NOT NULL DEFAULT 0, revoked_by TEXT NOT NULL DEFAULT '');"
    "CREATE TABLE forecast (alert TEXT NOT NULL, site TEXT NOT NULL, made INTEGER NOT NULL,"
    " state TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (alert, site)) WITHOUT ROWID;"
    "CREATE INDEX forecast_made ON forecast(made DESC);",
    "DROP TABLE site; DROP TABLE dataset;",
    "CREATE TABLE publication (id INTEGER PRIMARY KEY CHECK (id = 1), policy TEXT NOT NULL,"
    " secret INTEGER NOT NULL);"
    "CREATE TABLE published_step (start INTEGER PRIMARY KEY, length INTEGER NOT NULL,"
    " made INTEGER NOT NULL);"
    "CREATE TABLE published (start INTEGER NOT NULL, rank INTEGER NOT NULL,"
    " key INTEGER NOT NULL, sources INTEGER NOT NULL, PRIMARY KEY (start, rank))"
    " WITHOUT ROWID;",
    ("ALTER TABLE remote_site ADD COLUMN serial_before TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE remote_site ADD COLUMN before_until INTEGER NOT NULL DEFAULT 0;"),
    /* Both states begin at a word of the site: a later one is not known of sites before. */
    "CREATE TABLE site_heard (site TEXT PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO site_heard SELECT site, max(since) FROM site_event"
    " WHERE state IN ('up', 'down') GROUP BY site;",
};

enum {
    VERSION = sizeof migrations / sizeof *migrations,
    BUSY_MS = 5000,
    VERSION_SQL = 40
};

static enum err execute(struct catalog *c, const char *sql, struct fault *f)
{
    char *message = NULL;
    int code = sqlite3_exec(c->db, sql, NULL, NULL, &message);
    enum err e = OK;
    if (code != SQLITE_OK) {
        bool wrong = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
        e = fault_set(f,
            code == SQLITE_FULL ? ERR_FULL
            : wrong             ? ERR_BAD
                                : ERR_IO,
            "catalogue: %s", message ? message : sqlite3_errstr(code));
    }
    sqlite3_free(message);
    return e;
}

static enum err version_read(struct catalog *c, int64_t *ret_version, struct fault *f)
{
    struct query q;
    query_open(&q, c, "PRAGMA user_version", f);
    *ret_version = query_row(&q) ? query_number_at(&q, 0) : 0;
    return query_end(&q);
}

static enum err migrate(struct catalog *c, struct fault *f)
{
    int64_t version;
    enum err e = version_read(c, &version, f);
    if (!e && (version < 0 || version > VERSION))
        e = fault_set(f, ERR_BAD,
            "the catalogue is of version %lld; this program knows versions up to %d",
            (long long)version, (int)VERSION);
    for (; !e && version < VERSION; version++) {
        char sql[VERSION_SQL];
        e = catalog_begin(c, f);
        if (e)
            return e;
        snprintf(sql, sizeof sql, "PRAGMA user_version = %d", (int)version + 1);
        e = execute(c, migrations[version], f);
        if (!e)
            e = execute(c, sql, f);
        e = catalog_end(c, e, f);
    }
    return e;
}

/* The file holds password hashes: nobody but its owner reads it. */
static enum err file_make(const char *path, struct fault *f)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_set(
            f, errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %s", path, strerror(errno));
    close(fd);
    return OK;
}

enum err catalog_open(struct catalog **ret_catalog, const char *path, struct fault *f)
{
    enum err e = file_make(path, f);
    if (e)
        return e;
    struct catalog *c = calloc(1, sizeof *c);
    if (!c)
        return fault_set(f, ERR_NOMEM, "out of memory");
    pthread_mutex_init(&c->lock, NULL);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &c->db, flags, NULL) != SQLITE_OK)
        e = fault_set(
            f, ERR_IO, "%s: %s", path, c->db ? sqlite3_errmsg(c->db) : "out of memory");
    if (!e) {
        sqlite3_busy_timeout(c->db, BUSY_MS);
        e = execute(c,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
            " PRAGMA trusted_schema = OFF",
            f);
        if (!e)
            e = migrate(c, f);
        if (e)
            fault_prefix(f, path);
    }
    if (e) {
        catalog_close(c);
        return e;
    }
    *ret_catalog = c;
    return OK;
}

void catalog_close(struct catalog *c)
{
    if (!c)
        return;
    sqlite3_close(c->db);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static enum err copy_all(struct catalog *c, sqlite3 *to, const char *path, struct fault *f)
{
    enum {
        PAGES = 256
    };
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", c->db, "main");
    if (!backup)
        return fault_set(f, ERR_IO, "%s: %s", path, sqlite3_errmsg(to));
    int code = SQLITE_OK;
    while (code == SQLITE_OK) {
        catalog_enter(c);
        code = sqlite3_backup_step(backup, PAGES);
        catalog_leave(c);
    }
    sqlite3_backup_finish(backup);
    if (code == SQLITE_DONE)
        return OK;
    return fault_set(
        f, code == SQLITE_FULL ? ERR_FULL : ERR_IO, "%s: %s", path, sqlite3_errstr(code));
}

enum err catalog_backup(struct catalog *c, const char *path, struct fault *f)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_set(
            f, errno == EEXIST ? ERR_EXISTS : ERR_IO, "%s: %s", path, strerror(errno));
    close(fd);
    sqlite3 *to = NULL;
    enum err e = OK;
    if (sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        e = fault_set(f, ERR_IO, "%s: %s", path, to ? sqlite3_errmsg(to) : "out of memory");
    if (!e)
        e = copy_all(c, to, path, f);
    if (sqlite3_close(to) != SQLITE_OK && !e)
        e = fault_set(f, ERR_IO, "%s: cannot be closed", path);
    if (e)
        unlink(path);
    return e;
}
