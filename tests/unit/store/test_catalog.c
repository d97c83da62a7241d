#include "test.h"

#include "store/catalog_fleet.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char folder[64];
    char path[96];
    struct catalog *catalog;
};

static int place_make(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    struct fault f;
    snprintf(p->folder, sizeof p->folder, "/tmp/kizashi-test-XXXXXX");
    if (!mkdtemp(p->folder))
        return -1;
    snprintf(p->path, sizeof p->path, "%s/catalog.sqlite", p->folder);
    *state = p;
    return catalog_open(&p->catalog, p->path, &f) == OK ? 0 : -1;
}

static int place_drop(void **state)
{
    struct place *p = *state;
    char command[128];
    catalog_close(p->catalog);
    snprintf(command, sizeof command, "rm -r %s", p->folder);
    int status = system(command);
    free(p);
    return status;
}

static void reopen(struct place *p)
{
    struct fault f;
    catalog_close(p->catalog);
    assert_int_equal(catalog_open(&p->catalog, p->path, &f), OK);
}

static int64_t user_add(struct place *p, const char *name, enum catalog_role role)
{
    struct catalog_user u = {.role = role, .created = 5, .password = "$argon2id$x"};
    struct fault f;
    int64_t id = 0;
    snprintf(u.name, sizeof u.name, "%s", name);
    assert_int_equal(catalog_user_add(p->catalog, &u, &id, &f), OK);
    return id;
}

static void users_kept(void **state)
{
    struct place *p = *state;
    struct catalog_user u;
    struct fault f;
    user_add(p, "admin", ROLE_ADMIN);
    reopen(p);
    assert_int_equal(catalog_user_find(p->catalog, "admin", &u), OK);
    assert_int_equal(u.role, ROLE_ADMIN);
    assert_string_equal(u.password, "$argon2id$x");
    assert_int_equal(catalog_user_find(p->catalog, "nobody", &u), ERR_NOTFOUND);
    snprintf(u.name, sizeof u.name, "admin");
    assert_int_equal(catalog_user_add(p->catalog, &u, NULL, &f), ERR_EXISTS);
    assert_string_equal(f.text, "there is a user admin already");
    snprintf(u.name, sizeof u.name, "a b");
    assert_int_equal(catalog_user_add(p->catalog, &u, NULL, &f), ERR_BAD);
    struct stat st;
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static enum err remove_user(struct place *p, const char *name, struct fault *f)
{
    return catalog_user_remove(p->catalog, name, "operator", 500, f);
}

static enum err heard_of(void *context, const struct catalog_heard *h)
{
    char *text = context;
    size_t used = strlen(text);
    snprintf(text + used, 200 - used, "%s=%lld ", h->site, (long long)h->time);
    return OK;
}

/* As a catalogue was that had not noted when sites were heard. */
static void heard_unmade(const struct place *p)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "DROP TABLE site_heard; PRAGMA user_version = 7", NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
}

static void heard_before(void **state)
{
    static const struct catalog_site_event events[] = {
        {.time = 100, .since = 100, .site = "jp-01", .state = "new"},
        {.time = 200, .since = 200, .site = "jp-01", .state = "up"},
        {.time = 400, .since = 350, .site = "jp-01", .state = "down"},
        {.time = 900, .since = 800, .site = "jp-01", .state = "unwatched"},
        {.time = 500, .since = 500, .site = "kr-01", .state = "new"},
    };
    struct place *p = *state;
    struct fault f;
    char text[200] = "";
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        assert_int_equal(catalog_site_event_add(p->catalog, &events[i], &f), OK);
    catalog_close(p->catalog);
    heard_unmade(p);
    assert_int_equal(catalog_open(&p->catalog, p->path, &f), OK);
    assert_int_equal(catalog_sites_heard(p->catalog, heard_of, text), OK);
    assert_string_equal(text, "jp-01=350 ");
    const struct catalog_heard heard[] = {{"jp-01", 1000}, {"kr-01", 990}};
    assert_int_equal(catalog_fleet_watched_put(p->catalog, 1001, heard, 2), OK);
    assert_int_equal(catalog_fleet_watched_put(p->catalog, 1002, heard, 0), OK);
    reopen(p);
    text[0] = 0;
    assert_int_equal(catalog_sites_heard(p->catalog, heard_of, text), OK);
    assert_string_equal(text, "jp-01=1000 kr-01=990 ");
    int64_t watched = 0;
    assert_int_equal(catalog_fleet_watched(p->catalog, &watched), OK);
    assert_int_equal(watched, 1002);
}

static void last_admin(void **state)
{
    struct place *p = *state;
    struct catalog_user u;
    struct fault f;
    user_add(p, "admin", ROLE_ADMIN);
    user_add(p, "viewer", ROLE_VIEWER);
    assert_int_equal(remove_user(p, "admin", &f), ERR_DENIED);
    assert_int_equal(catalog_user_find(p->catalog, "admin", &u), OK);
    u.disabled = true;
    assert_int_equal(catalog_user_change(p->catalog, &u, &f), ERR_DENIED);
    assert_int_equal(catalog_user_find(p->catalog, "viewer", &u), OK);
    u.role = ROLE_ADMIN;
    assert_int_equal(catalog_user_change(p->catalog, &u, &f), OK);
    assert_int_equal(remove_user(p, "admin", &f), OK);
    assert_int_equal(remove_user(p, "viewer", &f), ERR_DENIED);
}

static enum err note_what(void *context, const struct catalog_audit *a)
{
    struct catalog_audit *last = context;
    *last = *a;
    return OK;
}

static void removed_whole(void **state)
{
    struct place *p = *state;
    struct catalog_user u;
    struct catalog_token t = {.hash = {1}, .name = "export", .by = "gone", .created = 100};
    struct catalog_token other = {.hash = {2}, .name = "export", .by = "stays", .created = 100};
    struct catalog_session s = {.hash = {7}, .csrf = "token", .created = 100, .expires = 2000};
    struct catalog_audit last = {0};
    struct fault f;
    user_add(p, "stays", ROLE_ADMIN);
    s.user = user_add(p, "gone", ROLE_ADMIN);
    assert_int_equal(catalog_session_add(p->catalog, &s, &f), OK);
    assert_int_equal(catalog_token_add(p->catalog, &t, NULL, &f), OK);
    assert_int_equal(catalog_token_add(p->catalog, &other, NULL, &f), OK);
    assert_int_equal(remove_user(p, "nobody", &f), ERR_NOTFOUND);
    assert_string_equal(f.text, "there is no user nobody");
    assert_int_equal(remove_user(p, "gone", &f), OK);
    assert_int_equal(catalog_user_find(p->catalog, "gone", &u), ERR_NOTFOUND);
    assert_int_equal(catalog_session_find(p->catalog, s.hash, 600, &s, &u), ERR_NOTFOUND);
    assert_int_equal(catalog_token_find(p->catalog, t.hash, 600, &t), ERR_NOTFOUND);
    assert_int_equal(catalog_token_find(p->catalog, other.hash, 600, &other), OK);
    assert_int_equal(catalog_audit_list(p->catalog, 0, 1, note_what, &last), OK);
    assert_string_equal(last.what, "user.remove");
    assert_string_equal(last.who, "operator");
    assert_string_equal(last.subject, "gone");
}

static void sessions_end(void **state)
{
    struct place *p = *state;
    struct catalog_session s = {.hash = {7}, .csrf = "token", .created = 100, .expires = 200};
    struct catalog_session found;
    struct catalog_user u;
    struct fault f;
    user_add(p, "admin", ROLE_ADMIN);
    s.user = user_add(p, "eve", ROLE_VIEWER);
    assert_int_equal(catalog_session_add(p->catalog, &s, &f), OK);
    assert_int_equal(catalog_session_find(p->catalog, s.hash, 199, &found, &u), OK);
    assert_string_equal(found.csrf, "token");
    assert_string_equal(u.name, "eve");
    assert_int_equal(catalog_session_find(p->catalog, s.hash, 200, &found, &u), ERR_NOTFOUND);
    assert_int_equal(catalog_session_extend(p->catalog, s.hash, 300), OK);
    assert_int_equal(catalog_session_find(p->catalog, s.hash, 200, &found, &u), OK);
    u.disabled = true;
    assert_int_equal(catalog_user_change(p->catalog, &u, &f), OK);
    assert_int_equal(catalog_session_find(p->catalog, s.hash, 200, &found, &u), ERR_NOTFOUND);
    assert_int_equal(catalog_session_end(p->catalog, s.hash), OK);
}

static void tokens(void **state)
{
    struct place *p = *state;
    struct catalog_token t = {.hash = {9}, .name = "grafana", .by = "admin", .expires = 5000};
    struct catalog_token found;
    struct fault f;
    assert_int_equal(catalog_token_add(p->catalog, &t, &t.id, &f), OK);
    assert_int_equal(catalog_token_find(p->catalog, t.hash, 4999, &found), OK);
    assert_string_equal(found.name, "grafana");
    assert_int_equal(catalog_token_find(p->catalog, t.hash, 5000, &found), ERR_NOTFOUND);
    assert_int_equal(catalog_token_revoke(p->catalog, t.id, 10), OK);
    assert_int_equal(catalog_token_revoke(p->catalog, t.id, 11), ERR_NOTFOUND);
    assert_int_equal(catalog_token_find(p->catalog, t.hash, 20, &found), ERR_NOTFOUND);
}

/* ---- alerts ---- */

static struct catalog_alert alert_of(
    const char *id, int64_t time, enum severity severity, const char *json)
{
    struct catalog_alert a = {.time = time,
        .start = time - 10,
        .end = time,
        .severity = severity,
        .kind = "port-surge",
        .open = true,
        .revision = 1,
        .json = json,
        .json_len = strlen(json)};
    snprintf(a.id, sizeof a.id, "%s", id);
    return a;
}

static const char worm[] =
    "{\"proto\":\"tcp\",\"ports\":[3389],\"sites\":[\"jp-01\",\"kr-01\"],"
    "\"countries\":[\"jp\"],\"title\":\"3389/tcp Grows\","
    "\"explanation\":\"Sources doubled.\"}";
static const char bots[] =
    "{\"engine\":[\"surge\",\"nmf\"],\"proto\":\"udp\",\"ports\":[53413],\"sites\":[\"kr-01\"],"
    "\"countries\":[\"cn\",\"jp\"],\"title\":\"53413/udp\","
    "\"explanation\":\"New port.\"}";

static enum err id_add(void *context, const struct catalog_alert *a)
{
    char *text = context;
    snprintf(text + strlen(text), 256 - strlen(text), "%s ", a->id);
    return OK;
}

static void alerts_fill(struct place *p)
{
    struct fault f;
    struct catalog_alert all[3] = {
        alert_of("a", 100, SEVERITY_NOTICE, worm),
        alert_of("b", 200, SEVERITY_INFO, bots),
        alert_of("c", 300, SEVERITY_CRITICAL, worm),
    };
    assert_int_equal(catalog_window_put(p->catalog, all, 3, NULL, 0, &f), OK);
}

static void list_is(struct place *p, const struct catalog_alert_query *q, const char *expected)
{
    char ids[256] = "";
    struct fault f;
    assert_int_equal(catalog_alerts(p->catalog, q, id_add, ids, NULL, &f), OK);
    assert_string_equal(ids, expected);
}

static void alerts_narrowed(void **state)
{
    struct place *p = *state;
    struct catalog_alert_query q;
    alerts_fill(p);
    catalog_alert_query_init(&q);
    list_is(p, &q, "c b a ");
    q.least = SEVERITY_NOTICE;
    list_is(p, &q, "c a ");
    catalog_alert_query_init(&q);
    q.site = "jp-01";
    list_is(p, &q, "c a ");
    catalog_alert_query_init(&q);
    q.country = "cn";
    list_is(p, &q, "b ");
    catalog_alert_query_init(&q);
    q.engine = "nmf";
    list_is(p, &q, "b ");
    q.kind = "in-step";
    list_is(p, &q, "");
    q.engine = NULL;
    q.kind = "port-surge";
    list_is(p, &q, "c b a ");
    catalog_alert_query_init(&q);
    q.port = 53413;
    list_is(p, &q, "b ");
    q.proto = 6;
    list_is(p, &q, "");
    catalog_alert_query_init(&q);
    q.words = "grows";
    list_is(p, &q, "c a ");
    q.words = "' OR 1=1 --";
    list_is(p, &q, "");
    catalog_alert_query_init(&q);
    q.from = 150;
    q.to = 250;
    list_is(p, &q, "b ");
    catalog_alert_query_init(&q);
    q.after_seq = 1;
    list_is(p, &q, "b c ");
}

static void alerts_paged(void **state)
{
    struct place *p = *state;
    struct catalog_alert_query q;
    char cursor[CATALOG_CURSOR];
    char ids[256] = "";
    struct fault f;
    alerts_fill(p);
    catalog_alert_query_init(&q);
    q.limit = 2;
    assert_int_equal(catalog_alerts(p->catalog, &q, id_add, ids, cursor, &f), OK);
    assert_string_equal(ids, "c b ");
    char next[CATALOG_CURSOR];
    memcpy(next, cursor, sizeof next);
    q.cursor = next;
    assert_int_equal(catalog_alerts(p->catalog, &q, id_add, ids, cursor, &f), OK);
    assert_string_equal(ids, "c b a ");
    assert_string_equal(cursor, "");
    q.cursor = "nonsense";
    assert_int_equal(catalog_alerts(p->catalog, &q, id_add, ids, cursor, &f), ERR_BAD);
}

static enum err alert_keep(void *context, const struct catalog_alert *a)
{
    struct catalog_alert *copy = context;
    *copy = *a;
    copy->json = NULL;
    return OK;
}

static void revisions(void **state)
{
    struct place *p = *state;
    struct catalog_alert a = alert_of("a", 100, SEVERITY_NOTICE, worm);
    struct catalog_alert found;
    struct fault f;
    assert_int_equal(catalog_alert_put(p->catalog, &a, &f), OK);
    assert_int_equal(catalog_alert_mark(p->catalog, "a",
                         &(struct catalog_mark){STATE_KNOWN, "ours", "admin", 400}, &f),
        OK);
    a.severity = SEVERITY_CRITICAL;
    assert_int_equal(catalog_alert_put(p->catalog, &a, &f), OK);
    assert_int_equal(catalog_alert_find(p->catalog, "a", alert_keep, &found), OK);
    assert_int_equal(found.severity, SEVERITY_NOTICE);
    a.revision = 2;
    assert_int_equal(catalog_alert_put(p->catalog, &a, &f), OK);
    assert_int_equal(catalog_alert_find(p->catalog, "a", alert_keep, &found), OK);
    assert_int_equal(found.severity, SEVERITY_CRITICAL);
    assert_int_equal(found.state, STATE_KNOWN);
    assert_string_equal(found.note, "ours");
    assert_int_equal(catalog_alert_mark(p->catalog, "z",
                         &(struct catalog_mark){STATE_KNOWN, NULL, "admin", 400}, &f),
        ERR_NOTFOUND);
}

static void window_whole(void **state)
{
    struct place *p = *state;
    struct catalog_alert a = alert_of("a", 100, SEVERITY_NOTICE, worm);
    struct catalog_engine_state good = {"surge", 600, "state", 5};
    struct catalog_engine_state bad = {"no name", 600, "state", 5};
    struct catalog_engine_state both[] = {good, bad};
    struct buf out;
    struct fault f;
    int64_t end;
    buf_init(&out, 1000);
    assert_int_equal(catalog_window_put(p->catalog, &a, 1, both, 2, &f), ERR_BAD);
    assert_int_equal(catalog_engine_state(p->catalog, "surge", &out, &end), ERR_NOTFOUND);
    assert_int_equal(catalog_window_put(p->catalog, &a, 1, both, 1, &f), OK);
    reopen(p);
    assert_int_equal(catalog_engine_state(p->catalog, "surge", &out, &end), OK);
    assert_int_equal(end, 600);
    assert_string_equal((const char *)out.data, "state");
    buf_done(&out);
}

/* What an earlier version left, or what happened to the disk, through a connection of its own.
 */
static void state_write(const struct place *p, const void *data, int len)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "UPDATE engine_state SET data = ?1", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_bind_blob(s, 1, data, len, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_DONE);
    sqlite3_finalize(s);
    sqlite3_close(db);
}

static void states_packed(void **state)
{
    enum {
        LENGTH = 3 << 20
    };
    struct place *p = *state;
    char *series = calloc(1, LENGTH);
    assert_non_null(series);
    series[0] = 'k';
    series[LENGTH - 1] = 7;
    struct catalog_engine_state large = {"surge", 600, series, LENGTH};
    struct buf out;
    struct fault f;
    struct stat file;
    int64_t end = 0;
    buf_init(&out, LENGTH);
    assert_int_equal(catalog_window_put(p->catalog, NULL, 0, &large, 1, &f), OK);
    reopen(p);
    assert_int_equal(stat(p->path, &file), 0);
    assert_true(file.st_size < LENGTH / 4);
    assert_int_equal(catalog_engine_state(p->catalog, "surge", &out, &end), OK);
    assert_int_equal(end, 600);
    assert_int_equal(out.len, LENGTH);
    assert_memory_equal(out.data, series, LENGTH);
    buf_done(&out);
    free(series);
}

static void states_of_before(void **state)
{
    struct place *p = *state;
    struct catalog_engine_state s = {"surge", 600, "new", 3};
    static const uint8_t cut[] = {0x28, 0xb5, 0x2f, 0xfd, 0x20, 9};
    struct buf out;
    struct fault f;
    int64_t end = 0;
    buf_init(&out, 1000);
    assert_int_equal(catalog_window_put(p->catalog, NULL, 0, &s, 1, &f), OK);
    state_write(p, "kzrs as it is", 13);
    assert_int_equal(catalog_engine_state(p->catalog, "surge", &out, &end), OK);
    assert_string_equal((const char *)out.data, "kzrs as it is");
    buf_clear(&out);
    state_write(p, cut, sizeof cut);
    end = 7;
    assert_int_equal(catalog_engine_state(p->catalog, "surge", &out, &end), ERR_BAD);
    assert_int_equal(end, 7);
    assert_int_equal(out.len, 0);
    buf_done(&out);
}

/* ---- the rest ---- */

static void imports_once(void **state)
{
    struct place *p = *state;
    struct catalog_import i = {.site = "jp-01", .file = "a.pcap", .digest = {3}, .finished = 9};
    struct catalog_import found;
    struct fault f;
    assert_int_equal(catalog_import_add(p->catalog, &i, &f), OK);
    assert_int_equal(catalog_import_add(p->catalog, &i, &f), ERR_EXISTS);
    assert_int_equal(catalog_import_find(p->catalog, "jp-01", i.digest, &found), OK);
    assert_string_equal(found.file, "a.pcap");
    assert_int_equal(catalog_import_find(p->catalog, "kr-01", i.digest, &found), ERR_NOTFOUND);
}

static enum err audit_count(void *context, const struct catalog_audit *a)
{
    (void)a;
    ++*(int *)context;
    return OK;
}

static void audit_stays(void **state)
{
    struct place *p = *state;
    struct catalog_audit row = {.time = 1, .who = "admin", .what = "login"};
    struct fault f;
    int count = 0;
    char command[256];
    for (int i = 0; i < 3; i++)
        assert_int_equal(catalog_audit_add(p->catalog, &row, &f), OK);
    assert_int_equal(catalog_audit_list(p->catalog, 3, 10, audit_count, &count), OK);
    assert_int_equal(count, 2);
    snprintf(command, sizeof command,
        "command -v sqlite3 >/dev/null || exit 3; sqlite3 %s 'DELETE FROM audit' 2>/dev/null",
        p->path);
    assert_int_not_equal(system(command), 0);
}

static void backup(void **state)
{
    struct place *p = *state;
    char path[128];
    struct catalog *copy;
    struct catalog_user u;
    struct fault f;
    user_add(p, "admin", ROLE_ADMIN);
    snprintf(path, sizeof path, "%s/copy.sqlite", p->folder);
    assert_int_equal(catalog_backup(p->catalog, path, &f), OK);
    assert_int_equal(catalog_backup(p->catalog, path, &f), ERR_EXISTS);
    assert_int_equal(catalog_open(&copy, path, &f), OK);
    assert_int_equal(catalog_user_find(copy, "admin", &u), OK);
    catalog_close(copy);
}

static void not_a_catalogue(void **state)
{
    struct place *p = *state;
    char path[128];
    struct catalog *c;
    struct fault f;
    snprintf(path, sizeof path, "%s/other", p->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("this is not a catalogue\n", file);
    fclose(file);
    assert_int_equal(catalog_open(&c, path, &f), ERR_BAD);
    assert_non_null(strstr(f.text, path));
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH("users are kept, in a file that only its owner reads", users_kept, place_make,
        place_drop),
    SAYS_WITH("the last enabled admin can neither go nor be disabled", last_admin, place_make,
        place_drop),
    SAYS_WITH(
        "when sites were last heard is kept, and of older catalogues what their history says",
        heard_before, place_make, place_drop),
    SAYS_WITH("a user goes with sessions and tokens, and the audit log says who did it",
        removed_whole, place_make, place_drop),
    SAYS_WITH("a session ends when it expires, and when its user is disabled", sessions_end,
        place_make, place_drop),
    SAYS_WITH(
        "a token is good until it expires or is withdrawn", tokens, place_make, place_drop),
    SAYS_WITH("alerts are narrowed by severity, site, country, port, words, time and sequence",
        alerts_narrowed, place_make, place_drop),
    SAYS_WITH("alerts come in pages, and a made-up cursor is refused", alerts_paged, place_make,
        place_drop),
    SAYS_WITH("a newer revision replaces an alert and leaves what people said", revisions,
        place_make, place_drop),
    SAYS_WITH("alerts and engine states of a window go in together or not at all", window_whole,
        place_make, place_drop),
    SAYS_WITH(
        "engine states take a fraction of their size", states_packed, place_make, place_drop),
    SAYS_WITH("an engine state of an earlier version is read, a damaged one is told",
        states_of_before, place_make, place_drop),
    SAYS_WITH(
        "a site takes the same capture in only once", imports_once, place_make, place_drop),
    SAYS_WITH("rows of the audit log cannot be removed", audit_stays, place_make, place_drop),
    SAYS_WITH("a backup is a whole catalogue and writes nothing over", backup, place_make,
        place_drop),
    SAYS_WITH("a file that is no catalogue is refused by name", not_a_catalogue, place_make,
        place_drop),
};
TEST_MAIN(tests)
