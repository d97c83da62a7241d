/* One store for most tests: 26 hours of two sites' contacts, so that some are rolled up (the
 * first day) and some wait (the hours after midnight), and what was sent in is at hand to count
 * again by plain loops. */
#include "test.h"

#include "store_test.h"
#include "telescope.h"

#include "base/json.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

enum {
    WINDOWS = 156
};

static const struct telescope shape = {.seed = 3,
    .sites = 2,
    .sources = 4000,
    .contacts = 60,
    .packets = 3,
    .start = 1767225600 * US_SECOND};

struct world {
    char folder[256];
    struct store *store;
    struct block *contacts[WINDOWS];
    struct block *packets;
};

static void keep_packets(void *context, const struct block *b)
{
    struct world *w = context;
    char id[64];
    snprintf(id, sizeof id, "packet-%016llx", (unsigned long long)block_digest(b));
    append_block(w->store, b, id);
    assert_int_equal(block_append(w->packets, b, 0, b->rows), OK);
}

static int world_open(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    *state = w;
    if (!w || !store_is_possible())
        return 0;
    new_folder(w->folder);
    w->store = open_store(w->folder);
    assert_int_equal(block_new(&w->packets, &record_packet, 4096), OK);
    for (uint64_t i = 0; i < WINDOWS; i++) {
        char id[32];
        struct block *b = NULL;
        assert_int_equal(block_new(&b, &record_contact, 1024), OK);
        telescope_window(&shape, i, b);
        snprintf(id, sizeof id, "contact-%d", (int)i);
        append_block(w->store, b, id);
        w->contacts[i] = b;
    }
    struct block *first = NULL;
    assert_int_equal(block_new(&first, &record_packet, 200), OK);
    telescope_packets(&shape, w->contacts[0], first, keep_packets, w);
    keep_packets(w, first);
    block_free(first);
    return 0;
}

static int world_close(void **state)
{
    struct world *w = *state;
    store_close(w->store);
    if (w->folder[0])
        remove_folder(w->folder);
    for (size_t i = 0; i < WINDOWS; i++)
        block_free(w->contacts[i]);
    block_free(w->packets);
    free(w);
    return 0;
}

static struct world *world_of(void **state)
{
    struct world *w = *state;
    if (!w->store)
        skip();
    return w;
}

/* The answer as JSON; the caller's reference. */
static json_t *answer(struct store *s, const struct ask *a, char cursor[ASK_CURSOR])
{
    struct fault f = {0};
    struct buf out;
    json_error_t error;
    buf_init(&out, 1 << 26);
    if (store_ask(s, a, FORMAT_JSON, &out, cursor, &f))
        fail_msg("%s", f.text);
    json_t *rows = json_loadb((const char *)out.data, out.len, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_array(rows))
        fail_msg("%s: %.200s", error.text, (const char *)out.data);
    buf_done(&out);
    return rows;
}

static json_int_t number(const json_t *rows, size_t row, const char *name)
{
    const json_t *value = json_object_get(json_array_get(rows, row), name);
    if (!json_is_number(value))
        fail_msg("row %zu has no number \"%s\"", row, name);
    return (json_int_t)json_number_value(value);
}

static const char *text(const json_t *rows, size_t row, const char *name)
{
    const char *value = json_string_value(json_object_get(json_array_get(rows, row), name));
    if (!value)
        fail_msg("row %zu has no text \"%s\"", row, name);
    return value;
}

/* --- counting again ------------------------------------------------------------------------
 */

struct counted {
    uint64_t packets, bytes, sources, ports, sites;
    int64_t first, last;
};

static bool wanted(const struct ask *a, const struct block *b, size_t i)
{
    int64_t start = block_time(b, CONTACT_START)[i];
    const char *class = block_word_at(b, CONTACT_CLASS, i);
    if ((a->from || a->to) && (start < a->from || start >= a->to))
        return false;
    if (a->site[0] && strcmp(a->site, block_word_at(b, CONTACT_SITE, i)) != 0)
        return false;
    if (a->country[0] && strcmp(a->country, block_word_at(b, CONTACT_COUNTRY, i)) != 0)
        return false;
    if (a->tool[0] && strcmp(a->tool, block_word_at(b, CONTACT_TOOL, i)) != 0)
        return false;
    if (a->class[0] == '-' ? strcmp(a->class + 1, class) == 0
                           : a->class[0] && strcmp(a->class, class) != 0)
        return false;
    if (a->has_src && !prefix_holds(&a->src, &block_ip(b, CONTACT_SRC)[i]))
        return false;
    return (a->proto < 0 || a->proto == block_u8(b, CONTACT_PROTO)[i]) &&
           (a->port < 0 || a->port == block_u16(b, CONTACT_DPORT)[i]) &&
           (a->asn < 0 || a->asn == block_u32(b, CONTACT_ASN)[i]);
}

static int compare_u64(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

static uint64_t distinct(uint64_t *values, size_t count)
{
    uint64_t different = 0;
    qsort(values, count, sizeof *values, compare_u64);
    for (size_t i = 0; i < count; i++)
        different += !i || values[i] != values[i - 1];
    return different;
}

static struct counted count_again(const struct world *w, const struct ask *a)
{
    struct counted c = {.first = INT64_MAX, .last = INT64_MIN};
    size_t room = (size_t)WINDOWS * 1024;
    uint64_t *sources = malloc(room * sizeof *sources);
    uint64_t *ports = malloc(room * sizeof *ports);
    uint64_t *sites = malloc(room * sizeof *sites);
    assert_true(sources && ports && sites);
    size_t n = 0;
    for (size_t k = 0; k < WINDOWS; k++)
        for (size_t i = 0; i < w->contacts[k]->rows; i++) {
            const struct block *b = w->contacts[k];
            if (!wanted(a, b, i))
                continue;
            c.packets += block_u32(b, CONTACT_PACKETS)[i];
            c.bytes += block_u64(b, CONTACT_BYTES)[i];
            int64_t first = block_time(b, CONTACT_FIRST)[i];
            int64_t last = block_time(b, CONTACT_LAST)[i];
            c.first = first < c.first ? first : c.first;
            c.last = last > c.last ? last : c.last;
            sources[n] = ip_hash(&block_ip(b, CONTACT_SRC)[i]);
            ports[n] =
                (uint64_t)block_u8(b, CONTACT_PROTO)[i] << 16 | block_u16(b, CONTACT_DPORT)[i];
            const char *site = block_word_at(b, CONTACT_SITE, i);
            sites[n++] = hash_bytes(site, strlen(site), 0);
        }
    c.sources = distinct(sources, n);
    c.ports = distinct(ports, n);
    c.sites = distinct(sites, n);
    free(sources);
    free(ports);
    free(sites);
    return c;
}

/* --- questions -----------------------------------------------------------------------------
 */

/* Distinct members are exact up to 1,024, and beyond that 0.8 % off in the mean of squares. */
static bool near_enough(json_int_t found, uint64_t counted)
{
    double off = fabs((double)found - (double)counted);
    return counted <= 1024 ? off == 0 : off <= 0.035 * (double)counted;
}

/* Spans that rollups cover whole, in part and not at all. */
static const struct {
    int64_t from, to;
} spans[] = {
    {0, 0},
    {0, US_DAY},
    {US_HOUR, 5 * US_HOUR},
    {10 * US_MINUTE, 70 * US_MINUTE},
    {50 * US_MINUTE, US_DAY + 30 * US_MINUTE},
    {US_DAY, US_DAY + 2 * US_HOUR},
    {-5 * US_DAY, 5 * US_DAY},
};

static void span_set(struct ask *a, size_t i)
{
    a->from = spans[i].from || spans[i].to ? shape.start + spans[i].from : 0;
    a->to = spans[i].from || spans[i].to ? shape.start + spans[i].to : 0;
}

/* Ways to narrow; each changes an ask. */
static void narrow(struct ask *a, size_t how)
{
    static const char *const tools[] = {"zmap", "mirai"};
    switch (how) {
    case 0:
        return;
    case 1:
        snprintf(a->site, sizeof a->site, "site-01");
        return;
    case 2:
        snprintf(a->class, sizeof a->class, "-survey");
        return;
    case 3:
        snprintf(a->class, sizeof a->class, "backscatter");
        a->port = 23;
        return;
    case 4:
        snprintf(a->country, sizeof a->country, "ac");
        return;
    case 5:
        snprintf(a->tool, sizeof a->tool, "%s", tools[0]);
        a->proto = 6;
        return;
    case 6:
        a->port = 445;
        snprintf(a->tool, sizeof a->tool, "%s", tools[1]);
        return;
    case 7:
        a->asn = 1 + 97 * 3 + 5;
        return;
    default:
        a->has_src = true;
        assert_int_equal(prefix_parse("80.0.0.0/5", true, &a->src), OK);
        return;
    }
}

enum {
    NARROWINGS = 9
};

static void totals_are_those_of_the_rows(void **state)
{
    struct world *w = world_of(state);
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        for (size_t how = 0; how < NARROWINGS; how++) {
            struct ask a;
            ask_init(&a, ASK_TOTALS);
            span_set(&a, i);
            narrow(&a, how);
            struct counted c = count_again(w, &a);
            json_t *rows = answer(w->store, &a, NULL);
            assert_int_equal(json_array_size(rows), 1);
            if ((uint64_t)number(rows, 0, "packets") != c.packets ||
                (uint64_t)number(rows, 0, "bytes") != c.bytes ||
                !near_enough(number(rows, 0, "sources"), c.sources) ||
                !near_enough(number(rows, 0, "ports"), c.ports) ||
                (uint64_t)number(rows, 0, "sites") != c.sites)
                fail_msg("span %zu, narrowing %zu: %s, counted %llu packets %llu sources", i,
                    how, json_dumps(rows, 0), (unsigned long long)c.packets,
                    (unsigned long long)c.sources);
            json_decref(rows);
        }
}

static void the_span_is_that_of_the_rows(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    char time[TIME_TEXT];
    ask_init(&a, ASK_SPAN);
    struct counted c = count_again(w, &a);
    json_t *rows = answer(w->store, &a, NULL);
    assert_string_equal(text(rows, 0, "first"), time_format(c.first, time));
    assert_string_equal(text(rows, 0, "last"), time_format(c.last, time));
    assert_int_equal(number(rows, 0, "packets"), c.packets);
    json_decref(rows);
}

/* Every row of a list, asked for by its key alone, has the list's numbers. */
static void list_agrees(struct world *w, enum ask_what what, size_t span, size_t how)
{
    struct ask a;
    ask_init(&a, what);
    span_set(&a, span);
    narrow(&a, how);
    a.limit = 20;
    json_t *rows = answer(w->store, &a, NULL);
    assert_true(json_array_size(rows) > 0);
    json_int_t before = INT64_MAX;
    for (size_t i = 0; i < json_array_size(rows); i += 3) {
        struct ask one = a;
        one.what = ASK_TOTALS;
        one.limit = 0;
        if (what == ASK_COUNTRIES)
            snprintf(one.country, sizeof one.country, "%.2s", text(rows, i, "country"));
        if (what == ASK_TOOLS)
            snprintf(one.tool, sizeof one.tool, "%s", text(rows, i, "tool"));
        if (what == ASK_CLASSES)
            snprintf(one.class, sizeof one.class, "%s", text(rows, i, "class"));
        if (what == ASK_ASNS)
            one.asn = number(rows, i, "asn");
        if (what == ASK_PORTS) {
            one.port = (int)number(rows, i, "port");
            one.proto = strcmp(text(rows, i, "proto"), "tcp") == 0 ? 6 : 17;
        }
        if (what == ASK_TOOLS && !one.tool[0])
            continue; /* "" is any */
        struct counted c = count_again(w, &one);
        assert_int_equal(number(rows, i, "packets"), c.packets);
        assert_true(near_enough(number(rows, i, "sources"), c.sources));
        if (what == ASK_COUNTRIES || what == ASK_ASNS || what == ASK_TOOLS)
            assert_true(near_enough(number(rows, i, "ports"), c.ports));
        assert_true(number(rows, i, "packets") <= before);
        before = number(rows, i, "packets");
    }
    json_decref(rows);
}

static void lists_are_those_of_the_rows(void **state)
{
    struct world *w = world_of(state);
    static const enum ask_what lists[] = {
        ASK_PORTS, ASK_COUNTRIES, ASK_ASNS, ASK_TOOLS, ASK_CLASSES};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (size_t span = 0; span < 5; span++)
            for (size_t how = 0; how < 3; how++)
                list_agrees(w, lists[i], span, how);
}

static void shares_of_all_ports_make_one(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    double sum = 0;
    ask_init(&a, ASK_PORTS);
    a.limit = ASK_ROWS_MAX;
    snprintf(a.class, sizeof a.class, "scan");
    json_t *rows = answer(w->store, &a, NULL);
    for (size_t i = 0; i < json_array_size(rows); i++)
        sum += json_number_value(json_object_get(json_array_get(rows, i), "share"));
    assert_true(fabs(sum - 1) < 0.01);
    assert_true(number(rows, 0, "countries") > 10);
    json_decref(rows);
}

static void series_add_up(void **state)
{
    struct world *w = world_of(state);
    static const enum ask_by groupings[] = {
        BY_NOTHING, BY_SITE, BY_COUNTRY, BY_TOOL, BY_CLASS, BY_ASN, BY_PORT};
    for (size_t i = 0; i < sizeof groupings / sizeof *groupings; i++)
        for (size_t span = 0; span < 5; span++) {
            struct ask a;
            ask_init(&a, ASK_SERIES);
            span_set(&a, span);
            a.by = groupings[i];
            a.limit = 4;
            a.step = span % 2 ? 10 * US_MINUTE : US_HOUR;
            json_t *rows = answer(w->store, &a, NULL);
            struct counted c = count_again(w, &a);
            uint64_t sum = 0;
            bool other = false;
            for (size_t k = 0; k < json_array_size(rows); k++) {
                sum += (uint64_t)number(rows, k, "value");
                other |= strcmp(text(rows, k, "key"), "other") == 0;
                int64_t time = 0;
                assert_int_equal(time_parse(text(rows, k, "time"), &time), OK);
                assert_int_equal(time % a.step, 0);
            }
            assert_int_equal(sum, c.packets);
            assert_int_equal(other, groupings[i] == BY_COUNTRY || groupings[i] == BY_TOOL ||
                                        groupings[i] == BY_ASN || groupings[i] == BY_PORT);
            json_decref(rows);
        }
}

static void series_count_sources_of_each_step(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    ask_init(&a, ASK_SERIES);
    a.measure = MEASURE_SOURCES;
    a.step = US_HOUR;
    json_t *rows = answer(w->store, &a, NULL);
    assert_int_equal(json_array_size(rows), 26);
    for (size_t i = 0; i < 26; i++) {
        struct ask hour;
        ask_init(&hour, ASK_TOTALS);
        hour.from = shape.start + (int64_t)i * US_HOUR;
        hour.to = hour.from + US_HOUR;
        assert_int_equal(number(rows, i, "value"), count_again(w, &hour).sources);
    }
    json_decref(rows);
}

static void series_by_port_name_the_service(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    ask_init(&a, ASK_SERIES);
    a.by = BY_PORT;
    a.limit = 1;
    json_t *rows = answer(w->store, &a, NULL);
    assert_string_equal(text(rows, 0, "key"), "23/tcp");
    json_decref(rows);
}

static void fine_series_come_from_packets(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    uint64_t sum = 0;
    ask_init(&a, ASK_SERIES);
    a.from = shape.start;
    a.to = shape.start + 10 * US_MINUTE;
    a.step = US_MINUTE;
    a.by = BY_SITE;
    json_t *rows = answer(w->store, &a, NULL);
    assert_in_range(json_array_size(rows), 11, 20);
    for (size_t i = 0; i < json_array_size(rows); i++)
        sum += (uint64_t)number(rows, i, "value");
    assert_int_equal(sum, w->packets->rows);
    json_decref(rows);
}

static void movers_compare_with_the_span_before(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    ask_init(&a, ASK_MOVERS);
    a.from = shape.start + 6 * US_HOUR;
    a.to = shape.start + 12 * US_HOUR;
    json_t *rows = answer(w->store, &a, NULL);
    for (size_t i = 0; i < json_array_size(rows); i += 25) {
        struct ask now;
        ask_init(&now, ASK_TOTALS);
        now.from = a.from;
        now.to = a.to;
        now.port = (int)number(rows, i, "port");
        now.proto = strcmp(text(rows, i, "proto"), "tcp") == 0 ? 6 : 17;
        struct ask before = now;
        before.from = shape.start;
        before.to = a.from;
        struct counted c = count_again(w, &now);
        assert_int_equal(number(rows, i, "sources"), c.sources);
        assert_int_equal(number(rows, i, "packets"), c.packets);
        assert_int_equal(number(rows, i, "before"), count_again(w, &before).sources);
    }
    json_decref(rows);
}

static void sources_are_ranked_and_described(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    ask_init(&a, ASK_SOURCES);
    a.limit = 30;
    json_t *rows = answer(w->store, &a, NULL);
    assert_int_equal(json_array_size(rows), 30);
    for (size_t i = 0; i < 30; i++) {
        struct ask one;
        char time[TIME_TEXT];
        ask_init(&one, ASK_TOTALS);
        one.has_src = true;
        assert_int_equal(prefix_parse(text(rows, i, "src"), false, &one.src), OK);
        struct counted c = count_again(w, &one);
        assert_int_equal(number(rows, i, "packets"), c.packets);
        assert_int_equal(number(rows, i, "ports"), c.ports);
        assert_int_equal(number(rows, i, "sites"), c.sites);
        assert_string_equal(text(rows, i, "first"), time_format(c.first, time));
        assert_true(!i || number(rows, i, "packets") <= number(rows, i - 1, "packets"));
    }
    json_decref(rows);
}

static void a_source_has_its_history(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    uint64_t sum = 0;
    ask_init(&a, ASK_SOURCES);
    a.limit = 1;
    json_t *rows = answer(w->store, &a, NULL);
    ask_init(&a, ASK_SOURCE);
    a.has_src = true;
    a.limit = ASK_ROWS_MAX;
    assert_int_equal(prefix_parse(text(rows, 0, "src"), false, &a.src), OK);
    json_decref(rows);
    rows = answer(w->store, &a, NULL);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        sum += (uint64_t)number(rows, i, "packets");
        assert_true(!i || strcmp(text(rows, i, "start"), text(rows, i - 1, "start")) <= 0);
    }
    assert_int_equal(sum, count_again(w, &a).packets);
    json_decref(rows);
}

static void pages_make_the_whole(void **state)
{
    struct world *w = world_of(state);
    static const enum ask_what lists[] = {ASK_PORTS, ASK_SOURCES, ASK_COUNTRIES, ASK_PACKETS};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct ask a;
        char cursor[ASK_CURSOR] = "";
        ask_init(&a, lists[i]);
        snprintf(a.site, sizeof a.site, "site-00");
        a.limit = ASK_ROWS_MAX;
        json_t *all = answer(w->store, &a, cursor);
        assert_string_equal(cursor, "");
        a.limit = 17;
        size_t row = 0;
        do {
            json_t *page = answer(w->store, &a, cursor);
            assert_true(json_array_size(page) == 17 || !cursor[0]);
            for (size_t k = 0; k < json_array_size(page) && row < 150; k++)
                assert_true(json_equal(json_array_get(page, k), json_array_get(all, row++)));
            json_decref(page);
            snprintf(a.cursor, sizeof a.cursor, "%s", cursor);
        } while (cursor[0] && row < 150);
        assert_true(row >= (json_array_size(all) < 150 ? json_array_size(all) : 150));
        json_decref(all);
    }
}

static void packets_come_as_their_rows(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    struct buf expected;
    buf_init(&expected, 1 << 16);
    ask_init(&a, ASK_PACKETS);
    a.limit = ASK_ROWS_MAX;
    json_t *rows = answer(w->store, &a, NULL);
    assert_int_equal(json_array_size(rows), w->packets->rows);
    for (size_t i = 0; i < w->packets->rows; i++) {
        buf_clear(&expected);
        block_row_json(w->packets, i, &expected);
        json_t *row = json_loadb((const char *)expected.data, expected.len, 0, NULL);
        if (!json_equal(row, json_array_get(rows, i)))
            fail_msg("row %zu is not %s", i, (const char *)expected.data);
        json_decref(row);
    }
    json_decref(rows);
    buf_done(&expected);
}

static enum err gather(void *context, const void *data, size_t len)
{
    buf_put(context, data, len);
    return OK;
}

static void a_stream_has_all_rows(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    struct buf out;
    struct buf expected;
    struct fault f = {0};
    buf_init(&out, 1 << 26);
    buf_init(&expected, 1 << 26);
    ask_init(&a, ASK_PACKETS);
    a.limit = 5;
    if (store_stream(w->store, &a, FORMAT_CSV, gather, &out, &f))
        fail_msg("%s", f.text);
    record_csv_header(&record_packet, &expected);
    for (size_t i = 0; i < w->packets->rows; i++)
        block_row_csv(w->packets, i, &expected);
    assert_int_equal(out.len, expected.len);
    assert_memory_equal(out.data, expected.data, out.len);
    buf_done(&out);
    buf_done(&expected);
}

static void hostile_words_are_refused(void **state)
{
    struct world *w = world_of(state);
    static const char *const hostile[] = {"' OR 1=1 --", "x'; DROP TABLE kz.packet; --", "\\'",
        "a\nb", "A", "ä", "site 01", "%27", "a\"b", "`kz`"};
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++)
        for (int member = 0; member < 5; member++) {
            struct ask a;
            struct buf out;
            struct fault f = {0};
            buf_init(&out, 1 << 20);
            if (member == 3 && strcmp(hostile[i], "site 01") == 0)
                continue; /* two letters are all that fits */
            ask_init(&a, ASK_TOTALS);
            char *into = member == 0   ? a.site
                         : member == 1 ? a.tool
                         : member == 2 ? a.class
                         : member == 3 ? a.country
                                       : a.cursor;
            snprintf(into, member == 3 ? sizeof a.country : sizeof a.site, "%s", hostile[i]);
            enum err e = store_ask(w->store, &a, FORMAT_JSON, &out, NULL, &f);
            assert_int_equal(e, ERR_BAD);
            assert_int_equal(f.code, ERR_BAD);
            assert_int_equal(out.len, 0);
            buf_done(&out);
        }
    struct ask a;
    ask_init(&a, ASK_PACKETS);
    json_t *rows = answer(w->store, &a, NULL);
    assert_int_equal(json_array_size(rows), 100);
    json_decref(rows);
}

static void wrong_questions_say_what_is_allowed(void **state)
{
    struct world *w = world_of(state);
    static const struct {
        struct ask ask;
        enum err code;
        const char *says;
    } wrong[] = {
        {{.what = ASK_TOTALS, .proto = 256, .port = -1, .asn = -1}, ERR_RANGE, "0 to 255"},
        {{.what = ASK_TOTALS, .proto = -1, .port = 65536, .asn = -1}, ERR_RANGE, "0 to 65535"},
        {{.what = ASK_TOTALS, .proto = -1, .port = -1, .asn = 1ll << 32}, ERR_RANGE,
            "4294967295"},
        {{.what = ASK_PORTS, .proto = -1, .port = -1, .asn = -1, .limit = 10001}, ERR_RANGE,
            "1 to 10000"},
        {{.what = ASK_PORTS, .proto = -1, .port = -1, .asn = -1, .from = 5, .to = 5}, ERR_RANGE,
            "before"},
        {{.what = ASK_SERIES, .proto = -1, .port = -1, .asn = -1, .step = 1500000}, ERR_RANGE,
            "whole seconds"},
        {{.what = ASK_SERIES,
             .proto = -1,
             .port = -1,
             .asn = -1,
             .step = US_SECOND,
             .from = 0,
             .to = US_DAY},
            ERR_RANGE, "10000 steps"},
        {{.what = ASK_SERIES, .proto = -1, .port = -1, .asn = -1, .step = US_SECOND}, ERR_RANGE,
            "10000 steps"},
        {{.what = ASK_SOURCE, .proto = -1, .port = -1, .asn = -1}, ERR_BAD, "src"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct fault f = {0};
        struct buf out;
        buf_init(&out, 1 << 16);
        assert_int_equal(
            store_ask(w->store, &wrong[i].ask, FORMAT_JSON, &out, NULL, &f), wrong[i].code);
        if (!strstr(f.text, wrong[i].says))
            fail_msg("%s: does not say %s", f.text, wrong[i].says);
        buf_done(&out);
    }
}

static void cursors_belong_to_their_question(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    char cursor[ASK_CURSOR] = "";
    struct buf out;
    struct fault f = {0};
    buf_init(&out, 1 << 20);
    ask_init(&a, ASK_PORTS);
    a.limit = 3;
    json_decref(answer(w->store, &a, cursor));
    a.what = ASK_COUNTRIES;
    snprintf(a.cursor, sizeof a.cursor, "%s", cursor);
    assert_int_equal(store_ask(w->store, &a, FORMAT_JSON, &out, NULL, &f), ERR_BAD);
    assert_non_null(strstr(f.text, "cursor"));
    buf_done(&out);
}

/* --- keeping --------------------------------------------------------------------------------
 */

static void a_block_sent_again_changes_nothing(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    ask_init(&a, ASK_TOTALS);
    json_t *before = answer(w->store, &a, NULL);
    append_block(w->store, w->contacts[3], "contact-3");
    append_block(w->store, w->contacts[WINDOWS - 1], "contact-155");
    json_t *after = answer(w->store, &a, NULL);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
}

static void block_names_are_checked(void **state)
{
    struct world *w = world_of(state);
    static const char *const ids[] = {"", "a b", "a'b", "a/b",
        "0123456789012345678901234567890123456789012345678901234567890123"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct fault f = {0};
        assert_int_equal(store_append(w->store, w->contacts[0], ids[i], &f), ERR_BAD);
        assert_non_null(strstr(f.text, "1 to 63"));
    }
}

static void usage_counts_rows(void **state)
{
    struct world *w = world_of(state);
    struct store_usage u;
    struct fault f = {0};
    assert_int_equal(store_usage(w->store, &u, &f), OK);
    assert_int_equal(u.packets, w->packets->rows);
    assert_int_equal(u.contacts, WINDOWS * 120);
    assert_true(u.disk_bytes > 1000 && u.disk_free > 0);
    assert_non_null(strstr(u.version, "ClickHouse"));
}

static void a_second_opener_is_told_who_has_it(void **state)
{
    struct world *w = world_of(state);
    char line[600] = "";
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *s = NULL;
        struct fault f = {0};
        struct store_options options = {0};
        enum err e = store_open(&s, w->folder, &options, &f);
        dprintf(pipes[1], "%d %s", (int)e, f.text);
        _exit(0);
    }
    close(pipes[1]);
    ssize_t len = read(pipes[0], line, sizeof line - 1);
    close(pipes[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    char expected[64];
    snprintf(expected, sizeof expected, "process %ld", (long)getpid());
    assert_true(len > 0);
    assert_int_equal(strtol(line, NULL, 10), ERR_BUSY);
    assert_non_null(strstr(line, expected));
}

static void ignore_signal(int number)
{
    (void)number;
}

static void signals_stay_the_programs_own(void **state)
{
    struct world *w = world_of(state);
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE, SIGSEGV, SIGABRT};
    struct sigaction mine = {.sa_handler = ignore_signal};
    struct sigaction found;
    store_close(w->store);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_int_equal(sigaction(numbers[i], &mine, NULL), 0);
    w->store = open_store(w->folder);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_int_equal(sigaction(numbers[i], NULL, &found), 0);
        assert_ptr_equal(found.sa_handler, ignore_signal);
        mine.sa_handler = SIG_DFL;
        assert_int_equal(sigaction(numbers[i], &mine, NULL), 0);
        mine.sa_handler = ignore_signal;
    }
}

static void all_is_there_after_opening_again(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    ask_init(&a, ASK_PORTS);
    json_t *before = answer(w->store, &a, NULL);
    store_close(w->store);
    w->store = open_store(w->folder);
    append_block(w->store, w->contacts[155], "contact-155");
    json_t *after = answer(w->store, &a, NULL);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    totals_are_those_of_the_rows(state);
}

struct asker {
    struct world *world;
    uint64_t expected;
    int wrong;
};

static void *ask_often(void *context)
{
    struct asker *asker = context;
    for (int i = 0; i < 10; i++) {
        struct ask a;
        struct buf out;
        char packets[64];
        buf_init(&out, 1 << 20);
        ask_init(&a, ASK_TOTALS);
        a.to = shape.start + US_DAY;
        snprintf(
            packets, sizeof packets, "\"packets\":%llu,", (unsigned long long)asker->expected);
        if (store_ask(asker->world->store, &a, FORMAT_JSON, &out, NULL, NULL) ||
            !strstr((const char *)out.data, packets))
            asker->wrong++;
        buf_done(&out);
    }
    return NULL;
}

static void threads_may_ask_while_blocks_come(void **state)
{
    struct world *w = world_of(state);
    pthread_t threads[6];
    struct asker askers[6];
    struct ask day;
    ask_init(&day, ASK_TOTALS);
    day.to = shape.start + US_DAY;
    uint64_t expected = count_again(w, &day).packets;
    for (size_t i = 0; i < 6; i++) {
        askers[i] = (struct asker){.world = w, .expected = expected};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &askers[i]), 0);
    }
    struct block *b = NULL;
    struct telescope later = shape;
    later.start += 10 * US_DAY;
    assert_int_equal(block_new(&b, &record_contact, 1024), OK);
    for (uint64_t i = 0; i < 6; i++) {
        char id[32];
        later.start += US_DAY; /* each is rolled up before the next */
        telescope_window(&later, i, b);
        snprintf(id, sizeof id, "later-%d", (int)i);
        append_block(w->store, b, id);
    }
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(askers[i].wrong, 0);
    }
    block_free(b);
}

/* Last: it throws rows away. */
static void old_days_are_dropped(void **state)
{
    struct world *w = world_of(state);
    struct fault f = {0};
    struct store_usage u;
    store_close(w->store);
    struct store_options options = {.keep_packets = US_DAY, .keep_contacts = 3 * US_DAY};
    assert_int_equal(store_open(&w->store, w->folder, &options, &f), OK);
    assert_int_equal(store_expire(w->store, shape.start + 2 * US_DAY - 1, &f), OK);
    assert_int_equal(store_usage(w->store, &u, &f), OK);
    assert_int_equal(u.packets, w->packets->rows);
    assert_int_equal(store_expire(w->store, shape.start + 2 * US_DAY, &f), OK);
    assert_int_equal(store_usage(w->store, &u, &f), OK);
    assert_int_equal(u.packets, 0);
    assert_int_equal(u.contacts, WINDOWS * 120 + 6 * 120);
    assert_int_equal(store_expire(w->store, shape.start + 4 * US_DAY, &f), OK);
    assert_int_equal(store_usage(w->store, &u, &f), OK);
    assert_int_equal(u.contacts, (WINDOWS - 144) * 120 + 6 * 120);
}

static void lines_of_sources_have_no_rest(void **state)
{
    struct world *w = world_of(state);
    static const enum ask_by groupings[] = {BY_COUNTRY, BY_TOOL, BY_ASN, BY_PORT};
    for (size_t i = 0; i < sizeof groupings / sizeof *groupings; i++) {
        struct ask a;
        ask_init(&a, ASK_SERIES);
        a.by = groupings[i];
        a.measure = MEASURE_SOURCES;
        a.limit = 2;
        a.step = US_HOUR;
        json_t *rows = answer(w->store, &a, NULL);
        assert_in_range(json_array_size(rows), 27, 52);
        for (size_t k = 0; k < json_array_size(rows); k++) {
            struct ask one;
            int64_t time = 0;
            ask_init(&one, ASK_TOTALS);
            assert_string_not_equal(text(rows, k, "key"), "other");
            if (a.by != BY_COUNTRY)
                continue;
            assert_int_equal(time_parse(text(rows, k, "time"), &time), OK);
            one.from = time;
            one.to = time + a.step;
            snprintf(one.country, sizeof one.country, "%.2s", text(rows, k, "key"));
            assert_int_equal(number(rows, k, "value"), count_again(w, &one).sources);
        }
        json_decref(rows);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("totals are those of the rows, whatever the span and the narrowing",
        totals_are_those_of_the_rows),
    SAYS("the span is that of the rows", the_span_is_that_of_the_rows),
    SAYS("lists are those of the rows, largest first", lists_are_those_of_the_rows),
    SAYS("the shares of all ports make one", shares_of_all_ports_make_one),
    SAYS("the lines of a series, and the other, add up to the total", series_add_up),
    SAYS("a series of sources counts each step", series_count_sources_of_each_step),
    SAYS("a series by port names the service", series_by_port_name_the_service),
    SAYS("lines of sources are exact and have no rest", lines_of_sources_have_no_rest),
    SAYS("a series by the minute comes from packets", fine_series_come_from_packets),
    SAYS("movers are compared with the span before", movers_compare_with_the_span_before),
    SAYS("sources are ranked and described", sources_are_ranked_and_described),
    SAYS("a source has its history", a_source_has_its_history),
    SAYS("pages put together are the whole list", pages_make_the_whole),
    SAYS("packets come as their rows, in time order", packets_come_as_their_rows),
    SAYS("a stream has all rows, whatever the limit", a_stream_has_all_rows),
    SAYS("hostile words are refused and change nothing", hostile_words_are_refused),
    SAYS("wrong questions are told what is allowed", wrong_questions_say_what_is_allowed),
    SAYS("a cursor belongs to its question", cursors_belong_to_their_question),
    SAYS("a block that is sent again changes nothing", a_block_sent_again_changes_nothing),
    SAYS("names of blocks are checked", block_names_are_checked),
    SAYS("usage counts rows and bytes", usage_counts_rows),
    SAYS("a second opener is told which process has the store",
        a_second_opener_is_told_who_has_it),
    SAYS("opening the store leaves the program its signal handlers",
        signals_stay_the_programs_own),
    SAYS("all is there after the store was opened again", all_is_there_after_opening_again),
    SAYS("threads may ask while blocks come in", threads_may_ask_while_blocks_come),
    SAYS("days older than the retention are dropped", old_days_are_dropped),
};

int main(void)
{
    return cmocka_run_group_tests(tests, world_open, world_close);
}
