#include "store/chdb_int.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The library's C interface, as far as it is used (chDB 26.7). A connection handle is a pointer
 * to the pointer that the other functions take. */
struct chdb_connection;
struct chdb_result;
struct chdb_stream;

struct api {
    struct chdb_connection **(*connect)(int argc, char **argv);
    void (*close_conn)(struct chdb_connection **connection);
    struct chdb_result *(*query_n)(struct chdb_connection *connection, const char *query,
        size_t query_len, const char *format, size_t format_len);
    struct chdb_result *(*stream_query_n)(struct chdb_connection *connection, const char *query,
        size_t query_len, const char *format, size_t format_len);
    struct chdb_result *(*stream_fetch_result)(
        struct chdb_connection *connection, struct chdb_result *stream);
    void (*stream_cancel_query)(struct chdb_connection *connection, struct chdb_result *stream);
    void (*destroy_query_result)(struct chdb_result *result);
    char *(*result_buffer)(struct chdb_result *result);
    size_t (*result_length)(struct chdb_result *result);
    const char *(*result_error)(struct chdb_result *result);
    struct chdb_stream *(*stream_insert_n)(struct chdb_connection *connection,
        const char *query, size_t query_len, const char *format, size_t format_len);
    int (*stream_append)(struct chdb_stream *stream, const void *data, size_t len);
    struct chdb_result *(*stream_done)(struct chdb_stream *stream);
    const char *(*stream_insert_error)(struct chdb_stream *stream);
    void (*destroy_insert_stream)(struct chdb_stream *stream);
    void (*set_signal_handlers_enabled)(int enabled);
};

static const struct symbol {
    const char *name;
    size_t offset;
} symbols[] = {
#define SYMBOL(member)                                                                         \
    {                                                                                          \
        "chdb_" #member, offsetof(struct api, member)                                          \
    }
    SYMBOL(connect),
    SYMBOL(close_conn),
    SYMBOL(query_n),
    SYMBOL(stream_query_n),
    SYMBOL(stream_fetch_result),
    SYMBOL(stream_cancel_query),
    SYMBOL(destroy_query_result),
    SYMBOL(result_buffer),
    SYMBOL(result_length),
    SYMBOL(result_error),
    SYMBOL(stream_insert_n),
    SYMBOL(stream_append),
    SYMBOL(stream_done),
    SYMBOL(stream_insert_error),
    SYMBOL(destroy_insert_stream),
    SYMBOL(set_signal_handlers_enabled),
#undef SYMBOL
};

/* What every connection is told first. One thread a statement that writes: more only cost
 * (measured: docs/decisions/0002-store-layout.md). */
static const char *const writer_settings[] = {
    "SET max_threads = 1, max_insert_threads = 1, input_format_parallel_parsing = 0",
    "SET max_memory_usage = 500000000", "SET max_bytes_before_external_group_by = 250000000",
    "SET max_bytes_before_external_sort = 250000000",
    "SET max_partitions_per_insert_block = 1, optimize_on_insert = 0, insert_deduplicate = 0",
    "SET input_format_skip_unknown_fields = 1", NULL};
/* Two threads a question: left to itself the engine takes one where it may not have a gigabyte
 * for each, and one where there is less to read than a server would share out: a row of ours
 * may be a sketch of twelve kilobytes. */
static const char *const reader_settings[] = {
    "SET max_threads = 2, max_threads_min_free_memory_per_thread = 0",
    "SET merge_tree_min_rows_for_concurrent_read = 512",
    "SET merge_tree_min_bytes_for_concurrent_read = 65536",
    "SET local_filesystem_read_method = 'pread', max_read_buffer_size_local_fs = 32768",
    "SET max_memory_usage = 400000000, max_execution_time = 60",
    "SET max_query_size = 1048576", /* STORE_SQL_MAX: sources are written out */
    "SET max_bytes_before_external_group_by = 200000000",
    "SET max_bytes_before_external_sort = 200000000", "SET readonly = 2", NULL};

struct chdb {
    struct api api;
    pthread_mutex_t lock;
    pthread_cond_t returned;
    struct chdb_connection **writers[CHDB_WRITERS];
    bool writer_busy[CHDB_WRITERS];
    struct chdb_connection **keeper;
    bool keeper_busy;
    struct chdb_connection **readers[CHDB_READERS];
    bool reader_busy[CHDB_READERS];
    char engine[32];
};

static enum err load(struct api *api, const char *path, struct fault *f)
{
    /* Never closed: the engine's threads outlive its last connection. */
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library)
        return fault_set(f, ERR_IO, "the store's library does not load: %s", dlerror());
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *address = dlsym(library, symbols[i].name);
        if (!address)
            return fault_set(f, ERR_IO, "%s: has no %s; chDB 26.7 or newer is needed", path,
                symbols[i].name);
        memcpy((char *)api + symbols[i].offset, &address, sizeof address);
    }
    return OK;
}

/* The engine tells more than a person can use; the first line says it. */
static enum err tell(const char *error, const char *what, struct fault *f)
{
    static const struct {
        const char *sign;
        enum err code;
    } signs[] = {
        {"No space left", ERR_FULL},
        {"NOT_ENOUGH_SPACE", ERR_FULL},
        {"Disk quota exceeded", ERR_FULL},
        {"MEMORY_LIMIT_EXCEEDED", ERR_NOMEM},
        {"TIMEOUT_EXCEEDED", ERR_STOPPED},
    };
    enum err code = ERR_IO;
    for (size_t i = 0; i < sizeof signs / sizeof *signs && code == ERR_IO; i++)
        if (strstr(error, signs[i].sign))
            code = signs[i].code;
    if (code == ERR_FULL)
        return fault_set(f, code, "%s: no space left on the disk of the store", what);
    if (code == ERR_NOMEM)
        return fault_set(f, code, "%s: needs more memory than the store may take", what);
    if (code == ERR_STOPPED)
        return fault_set(f, code, "%s: took longer than 60 s and was stopped", what);
    for (const char *at; (at = strstr(error, "DB::Exception: "));)
        error = at + strlen("DB::Exception: ");
    return fault_set(
        f, code, "%s: the store's engine says: %.*s", what, (int)strcspn(error, "\n"), error);
}

static enum err run(struct chdb *d, struct chdb_connection **connection, const char *sql,
    struct buf *out, struct fault *f)
{
    struct chdb_result *result =
        d->api.query_n(*connection, sql, strlen(sql), "TabSeparated", strlen("TabSeparated"));
    if (!result)
        return fault_set(f, ERR_NOMEM, "store: no answer from its engine");
    const char *error = d->api.result_error(result);
    enum err e = OK;
    if (error && *error)
        e = tell(error, "store", f);
    else if (out && d->api.result_length(result))
        buf_put(out, d->api.result_buffer(result), d->api.result_length(result));
    d->api.destroy_query_result(result);
    if (!e && out && out->err)
        e = fault_set(f, out->err, "store: the answer is larger than %zu bytes", out->cap);
    return e;
}

static enum err connect_one(struct chdb *d, char **argv, const char *const *settings,
    struct chdb_connection ***ret_connection, struct fault *f)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    struct chdb_connection **connection = d->api.connect(argc, argv);
    if (!connection || !*connection)
        return fault_set(f, ERR_IO,
            "store: its engine does not open the folder (is it writable? has this process "
            "another store open?)");
    *ret_connection = connection;
    for (; *settings; settings++) {
        enum err e = run(d, connection, *settings, NULL, f);
        if (e)
            return e;
    }
    return OK;
}

/* The engine's own limits; the caches' defaults are made for servers, and so are the waits of
 * its background work: a table whose turn it is not (one thread serves all of them) asks again
 * after up to a second for each part that is to be rewritten, and a statement that removes rows
 * waits for that. */
static enum err write_config(const char *path, size_t memory, struct fault *f)
{
    struct buf text;
    buf_init(&text, 4096);
    buf_printf(&text,
        "<clickhouse>\n"
        "  <max_server_memory_usage>%zu</max_server_memory_usage>\n"
        "  <mark_cache_size>67108864</mark_cache_size>\n"
        "  <primary_index_cache_size>67108864</primary_index_cache_size>\n"
        "  <index_mark_cache_size>16777216</index_mark_cache_size>\n"
        "  <query_condition_cache_size>16777216</query_condition_cache_size>\n"
        "  <background_pool_size>1</background_pool_size>\n"
        "  <background_merges_mutations_concurrency_ratio>1"
        "</background_merges_mutations_concurrency_ratio>\n"
        "  <background_processing_pool_thread_sleep_seconds_if_nothing_to_do>0.01"
        "</background_processing_pool_thread_sleep_seconds_if_nothing_to_do>\n"
        "  <background_processing_pool_task_sleep_seconds_when_no_work_random_part>0.01"
        "</background_processing_pool_task_sleep_seconds_when_no_work_random_part>\n"
        "  <max_thread_pool_size>128</max_thread_pool_size>\n"
        "  <background_schedule_pool_size>2</background_schedule_pool_size>\n"
        "</clickhouse>\n",
        memory);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool fine = file >= 0 && !text.err && write(file, text.data, text.len) == (ssize_t)text.len;
    enum err e = fine ? OK
                      : fault_set(f, errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %s", path,
                            strerror(errno));
    if (file >= 0)
        close(file);
    buf_done(&text);
    return e;
}

enum {
    SIGNALS = 32
};

struct signals {
    struct sigaction action[SIGNALS];
    sigset_t blocked; /* by this thread */
};

/* The engine takes over signals that are this program's (fatal ones at least), and blocks
 * SIGPIPE for the thread that opens it; they are put back as they were. */
static void signals_keep(struct signals *kept)
{
    for (int i = 1; i < SIGNALS; i++)
        sigaction(i, NULL, &kept->action[i]);
    pthread_sigmask(SIG_SETMASK, NULL, &kept->blocked);
}

static void signals_restore(const struct signals *kept)
{
    for (int i = 1; i < SIGNALS; i++)
        if (i != SIGKILL && i != SIGSTOP)
            sigaction(i, &kept->action[i], NULL);
    pthread_sigmask(SIG_SETMASK, &kept->blocked, NULL);
}

static enum err connect_all(struct chdb *d, const struct chdb_options *options, struct fault *f)
{
    char path[4200];
    char config[4200];
    snprintf(config, sizeof config, "%s/engine.xml", options->folder);
    enum err e = write_config(config, options->memory ? options->memory : 900000000, f);
    if (e)
        return e;
    char name[] = "clickhouse";
    char config_arg[4300];
    snprintf(path, sizeof path, "--path=%s", options->folder);
    snprintf(config_arg, sizeof config_arg, "--config-file=%s", config);
    char *argv[] = {name, path, config_arg, NULL};
    for (size_t i = 0; !e && i < CHDB_WRITERS; i++)
        e = connect_one(d, argv, writer_settings, &d->writers[i], f);
    if (!e)
        e = connect_one(d, argv, writer_settings, &d->keeper, f);
    for (size_t i = 0; !e && i < CHDB_READERS; i++)
        e = connect_one(d, argv, reader_settings, &d->readers[i], f);
    if (e)
        return e;
    struct buf version;
    buf_init(&version, sizeof d->engine - 1);
    e = run(d, d->keeper, "SELECT version()", &version, f);
    if (!e)
        snprintf(d->engine, sizeof d->engine, "%.*s", (int)strcspn((char *)version.data, "\n"),
            (char *)version.data);
    buf_done(&version);
    return e;
}

enum err chdb_open(struct chdb **ret_chdb, const struct chdb_options *options, struct fault *f)
{
    struct chdb *d = calloc(1, sizeof *d);
    if (!d)
        return fault_set(f, ERR_NOMEM, "store: out of memory");
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->returned, NULL);
    struct signals kept;
    signals_keep(&kept);
    enum err e = load(&d->api, options->library, f);
    if (!e && mkdir(options->folder, 0700) != 0 && errno != EEXIST)
        e = fault_set(
            f, errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %s", options->folder, strerror(errno));
    if (!e) {
        d->api.set_signal_handlers_enabled(0);
        e = connect_all(d, options, f);
    }
    signals_restore(&kept);
    if (e) {
        chdb_close(d);
        return e;
    }
    *ret_chdb = d;
    return OK;
}

void chdb_close(struct chdb *d)
{
    if (!d)
        return;
    struct signals kept;
    signals_keep(&kept);
    for (size_t i = 0; i < CHDB_READERS; i++)
        if (d->readers[i])
            d->api.close_conn(d->readers[i]);
    if (d->keeper)
        d->api.close_conn(d->keeper);
    for (size_t i = 0; i < CHDB_WRITERS; i++)
        if (d->writers[i])
            d->api.close_conn(d->writers[i]);
    signals_restore(&kept);
    pthread_mutex_destroy(&d->lock);
    pthread_cond_destroy(&d->returned);
    free(d);
}

const char *chdb_engine(const struct chdb *d)
{
    return d->engine;
}

static void borrow(struct chdb *d, bool *busy)
{
    pthread_mutex_lock(&d->lock);
    while (*busy)
        pthread_cond_wait(&d->returned, &d->lock);
    *busy = true;
    pthread_mutex_unlock(&d->lock);
}

/* One of `count` that is free. */
static size_t borrow_any(struct chdb *d, bool *busy, size_t count)
{
    pthread_mutex_lock(&d->lock);
    for (;;) {
        for (size_t i = 0; i < count; i++) {
            if (busy[i])
                continue;
            busy[i] = true;
            pthread_mutex_unlock(&d->lock);
            return i;
        }
        pthread_cond_wait(&d->returned, &d->lock);
    }
}

static void give_back(struct chdb *d, bool *busy)
{
    pthread_mutex_lock(&d->lock);
    *busy = false;
    pthread_cond_broadcast(&d->returned);
    pthread_mutex_unlock(&d->lock);
}

enum err chdb_write(struct chdb *d, const char *sql, struct fault *f)
{
    size_t i = borrow_any(d, d->writer_busy, CHDB_WRITERS);
    enum err e = run(d, d->writers[i], sql, NULL, f);
    give_back(d, &d->writer_busy[i]);
    return e;
}

enum err chdb_keep(struct chdb *d, const char *sql, struct fault *f)
{
    borrow(d, &d->keeper_busy);
    enum err e = run(d, d->keeper, sql, NULL, f);
    give_back(d, &d->keeper_busy);
    return e;
}

struct insertion {
    const char *sql, *format;
    const void *data;
    size_t len;
};

static enum err insert(struct chdb *d, struct chdb_connection *connection,
    const struct insertion *in, struct fault *f)
{
    struct chdb_stream *stream = d->api.stream_insert_n(
        connection, in->sql, strlen(in->sql), in->format, strlen(in->format));
    const char *error = d->api.stream_insert_error(stream);
    enum err e = OK;
    if (error && *error)
        e = tell(error, "store", f);
    if (!e && d->api.stream_append(stream, in->data, in->len) != 0) {
        error = d->api.stream_insert_error(stream);
        e = tell(error ? error : "the insert was refused", "store", f);
    }
    if (!e) {
        struct chdb_result *result = d->api.stream_done(stream);
        error = result ? d->api.result_error(result) : "no answer";
        if (error && *error)
            e = tell(error, "store", f);
        if (result)
            d->api.destroy_query_result(result);
    }
    d->api.destroy_insert_stream(stream);
    return e;
}

enum err chdb_insert(struct chdb *d, const char *sql, const char *format, const void *data,
    size_t len, struct fault *f)
{
    size_t i = borrow_any(d, d->writer_busy, CHDB_WRITERS);
    enum err e = insert(d, *d->writers[i], &(struct insertion){sql, format, data, len}, f);
    give_back(d, &d->writer_busy[i]);
    return e;
}

enum err chdb_read(struct chdb *d, const char *sql, struct buf *out, struct fault *f)
{
    size_t i = borrow_any(d, d->reader_busy, CHDB_READERS);
    enum err e = run(d, d->readers[i], sql, out, f);
    give_back(d, &d->reader_busy[i]);
    return e;
}

static enum err read_parts(struct chdb *d, struct chdb_connection *connection,
    struct chdb_result *stream, enum err (*part)(void *context, const char *lines, size_t len),
    void *context, struct fault *f)
{
    for (;;) {
        struct chdb_result *result = d->api.stream_fetch_result(connection, stream);
        const char *error = result ? d->api.result_error(result) : "no answer";
        size_t len = result ? d->api.result_length(result) : 0;
        enum err e = OK;
        if (error && *error)
            e = tell(error, "store", f);
        else if (len)
            e = part(context, d->api.result_buffer(result), len);
        if (result)
            d->api.destroy_query_result(result);
        if (e || !len) {
            if (e)
                d->api.stream_cancel_query(connection, stream);
            return e;
        }
    }
}

enum err chdb_read_parts(struct chdb *d, const char *sql, const char *format,
    enum err (*part)(void *context, const char *data, size_t len), void *context,
    struct fault *f)
{
    size_t i = borrow_any(d, d->reader_busy, CHDB_READERS);
    struct chdb_connection *connection = *d->readers[i];
    struct chdb_result *stream =
        d->api.stream_query_n(connection, sql, strlen(sql), format, strlen(format));
    const char *error = stream ? d->api.result_error(stream) : "no answer";
    enum err e = error && *error ? tell(error, "store", f)
                                 : read_parts(d, connection, stream, part, context, f);
    if (stream)
        d->api.destroy_query_result(stream);
    give_back(d, &d->reader_busy[i]);
    return e;
}
