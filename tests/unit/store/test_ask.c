/* Questions to the store: answers are those of the rows that went in, counted again here. */
#include "stored_world.h"

#include <math.h>

static void totals_are_those_of_the_rows(void **state)
{
    totals_agree(state);
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

/* In every list and in series; in CSV so that no spreadsheet takes it for a formula. */
static void networks_have_their_names(void **state)
{
    struct world *w = world_of(state);
    static const enum ask_what lists[] = {ASK_ASNS, ASK_SOURCES};
    struct ask a;
    struct fault f = {0};
    struct buf csv;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        ask_init(&a, lists[i]);
        json_t *rows = answer(w->store, &a, NULL);
        for (size_t row = 0; row < json_array_size(rows); row++)
            assert_string_equal(text(rows, row, "as_name"),
                number(rows, row, "asn") % 2 ? "=ODD, \"the first\"" : "");
        json_decref(rows);
    }
    ask_init(&a, ASK_SERIES);
    a.by = BY_ASN;
    a.limit = 3;
    json_t *rows = answer(w->store, &a, NULL);
    for (size_t row = 0; row < json_array_size(rows); row++)
        assert_string_equal(text(rows, row, "as_name"),
            strtoul(text(rows, row, "key"), NULL, 10) % 2 ? "=ODD, \"the first\"" : "");
    json_decref(rows);
    buf_init(&csv, 1 << 20);
    ask_init(&a, ASK_ASNS);
    assert_int_equal(store_ask(w->store, &a, FORMAT_CSV, &csv, NULL, &f), OK);
    const char *lines = (const char *)csv.data;
    assert_int_equal(strncmp(lines, "asn,as_name,country,", 20), 0);
    assert_non_null(strstr(lines, ",\"'=ODD, \"\"the first\"\"\","));
    buf_done(&csv);
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

static void movers_from_nothing_have_no_ratio(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    ask_init(&a, ASK_MOVERS);
    a.from = shape.start - 6 * US_HOUR;
    a.to = shape.start + 6 * US_HOUR;
    json_t *rows = answer(w->store, &a, NULL);
    assert_true(json_array_size(rows) > 0);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        assert_int_equal(number(rows, i, "before"), 0);
        assert_true(json_is_null(json_object_get(row, "ratio")));
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

/* A page is looked for in ever longer pieces of the span; a filter may leave nothing in the
 * first of them, or in all. */
static void pages_of_packets_reach_over_quiet_times(void **state)
{
    struct world *w = world_of(state);
    const int64_t *ts = block_time(w->packets, PACKET_TS);
    size_t last = w->packets->rows - 1;
    struct ask a;
    ask_init(&a, ASK_PACKETS);
    a.from = ts[0] - 40 * US_DAY;
    a.to = ts[last] + 1;
    a.port = block_u16(w->packets, PACKET_DPORT)[last];
    a.has_src = true;
    a.src = (struct prefix){.ip = block_ip(w->packets, PACKET_SRC)[last], .bits = 128};
    json_t *rows = answer(w->store, &a, NULL);
    size_t found = json_array_size(rows);
    assert_true(found >= 1);
    assert_int_equal(
        number(rows, found - 1, "sport"), block_u16(w->packets, PACKET_SPORT)[last]);
    json_decref(rows);
    a.to = ts[0];
    rows = answer(w->store, &a, NULL);
    assert_int_equal(json_array_size(rows), 0);
    json_decref(rows);
    a.from = ts[last] + 1;
    a.to = ts[last] + US_DAY;
    rows = answer(w->store, &a, NULL);
    assert_int_equal(json_array_size(rows), 0);
    json_decref(rows);
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

static void put_status(struct store *s, const char *site, int64_t start, uint64_t kernel,
    uint64_t malformed, const char *id)
{
    struct block *b = NULL;
    assert_int_equal(block_new(&b, &record_site_status, 1), OK);
    assert_int_equal(block_word(b, STATUS_SITE, site, &block_name(b, STATUS_SITE)[0]), OK);
    for (size_t i = STATUS_RECEIVED; i < SITE_STATUS_COLUMNS; i++)
        block_u64(b, i)[0] = 0;
    block_time(b, STATUS_START)[0] = start;
    block_u64(b, STATUS_RECEIVED)[0] = 1000;
    block_u64(b, STATUS_DROPPED_KERNEL)[0] = kernel;
    block_u64(b, STATUS_MALFORMED)[0] = malformed;
    b->rows = 1;
    append_block(s, b, id);
    block_free(b);
}

static void losses_come_by_cause(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    put_status(w->store, "site-00", shape.start, 5, 0, "status-1");
    put_status(w->store, "site-00", shape.start + 9 * US_MINUTE, 6, 1, "status-2");
    put_status(w->store, "site-01", shape.start + 11 * US_MINUTE, 100, 0, "status-3");
    ask_init(&a, ASK_LOSSES);
    a.by = BY_CAUSE;
    a.step = 10 * US_MINUTE;
    json_t *rows = answer(w->store, &a, NULL);
    assert_int_equal(json_array_size(rows), 3);
    assert_string_equal(text(rows, 0, "key"), "dropped_kernel");
    assert_int_equal(number(rows, 0, "value"), 11);
    assert_string_equal(text(rows, 1, "key"), "malformed");
    assert_int_equal(number(rows, 1, "value"), 1);
    assert_int_equal(number(rows, 2, "value"), 100);
    json_decref(rows);
    a.from = shape.start + US_MINUTE;
    a.to = shape.start + US_HOUR;
    snprintf(a.site, sizeof a.site, "site-00");
    rows = answer(w->store, &a, NULL);
    assert_int_equal(json_array_size(rows), 2);
    assert_int_equal(number(rows, 0, "value"), 6);
    json_decref(rows);
}

/* What was counted an hour before or a day after is no packet. */
static void losses_do_not_move_the_times_of_a_site(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    ask_init(&a, ASK_SITES);
    json_t *before = answer(w->store, &a, NULL);
    put_status(w->store, "site-00", shape.start - US_HOUR, 5, 0, "status-early");
    put_status(w->store, "site-00", shape.start + 20 * US_HOUR, 6, 1, "status-late");
    put_status(w->store, "silent", shape.start + US_MINUTE, 7, 0, "status-silent");
    json_t *after = answer(w->store, &a, NULL);
    assert_string_equal(text(before, 0, "site"), "site-00");
    assert_string_equal(text(after, 1, "site"), "site-00");
    assert_string_equal(text(after, 1, "first"), text(before, 0, "first"));
    assert_string_equal(text(after, 1, "last"), text(before, 0, "last"));
    assert_string_equal(text(after, 0, "site"), "silent");
    assert_true(json_is_null(json_object_get(json_array_get(after, 0), "first")));
    assert_true(json_is_null(json_object_get(json_array_get(after, 0), "last")));
    assert_int_equal(number(after, 0, "dropped"), 7);
    json_decref(before);
    json_decref(after);
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

/* A source in a line, once a unit of time. */
struct sighting {
    char key[16];
    int64_t time;
    uint64_t src;
};

static int compare_sightings(const void *a, const void *b)
{
    const struct sighting *x = a;
    const struct sighting *y = b;
    int keys = strcmp(x->key, y->key);
    if (keys || x->time != y->time)
        return keys ? keys : (x->time > y->time) - (x->time < y->time);
    return compare_u64(&x->src, &y->src);
}

static void key_of(const struct block *b, size_t i, enum ask_by by, char ret_key[16])
{
    if (by == BY_COUNTRY || by == BY_TOOL)
        snprintf(ret_key, 16, "%s",
            block_word_at(b, by == BY_TOOL ? CONTACT_TOOL : CONTACT_COUNTRY, i));
    else if (by == BY_ASN)
        snprintf(ret_key, 16, "%u", block_u32(b, CONTACT_ASN)[i]);
    else
        snprintf(ret_key, 16, "%u/%s", block_u16(b, CONTACT_DPORT)[i],
            block_u8(b, CONTACT_PROTO)[i] == 6 ? "tcp" : "udp");
}

/* All that were sent in, in order of line and time: by the hour, or the first day at once. */
static size_t find_sightings(
    const struct world *w, enum ask_by by, bool first_day_at_once, struct sighting *out)
{
    size_t count = 0;
    size_t kept = 0;
    memset(out, 0, sizeof *out * WINDOWS * 1024);
    for (size_t k = 0; k < WINDOWS; k++)
        for (size_t i = 0; i < w->contacts[k]->rows; i++) {
            struct sighting *to = &out[count++];
            int64_t start = block_time(w->contacts[k], CONTACT_START)[i];
            bool at_once = first_day_at_once && start < shape.start + US_DAY;
            key_of(w->contacts[k], i, by, to->key);
            to->time = time_floor(start, at_once ? US_DAY : US_HOUR);
            to->src = ip_hash(&block_ip(w->contacts[k], CONTACT_SRC)[i]);
        }
    qsort(out, count, sizeof *out, compare_sightings);
    for (size_t i = 0; i < count; i++)
        if (!kept || compare_sightings(&out[kept - 1], &out[i]) != 0)
            out[kept++] = out[i];
    return kept;
}

static bool has_line(const json_t *rows, const char *key)
{
    for (size_t k = 0; k < json_array_size(rows); k++)
        if (strcmp(text(rows, k, "key"), key) == 0)
            return true;
    return false;
}

/* Lines of sources are ranked by the sum of the sizes of the sets that are kept of them. Of the
 * first day there is one for each line, of the two hours after it one each: no line that is
 * left out has more in these than one that is shown. */
static void assert_largest_lines(
    const json_t *rows, const struct sighting *seen, size_t count, size_t lines)
{
    size_t shown = 0;
    size_t least = SIZE_MAX;
    size_t most_left_out = 0;
    size_t run = 0;
    for (size_t i = 0; i < count; i += run) {
        run = 1;
        while (i + run < count && strcmp(seen[i].key, seen[i + run].key) == 0)
            run++;
        if (!has_line(rows, seen[i].key))
            most_left_out = run > most_left_out ? run : most_left_out;
        else if (++shown && run < least)
            least = run;
    }
    assert_int_equal(shown, lines);
    assert_true(least >= most_left_out);
}

/* Of the lines that are shown every hour in which there were sources has its row. */
static void assert_exact_rows(const json_t *rows, const struct sighting *seen, size_t count)
{
    size_t wanted_rows = 0;
    size_t run = 0;
    for (size_t i = 0; i < count; i += run) {
        char time[TIME_TEXT];
        size_t found = 0;
        run = 1;
        while (i + run < count && strcmp(seen[i].key, seen[i + run].key) == 0 &&
               seen[i].time == seen[i + run].time)
            run++;
        if (!has_line(rows, seen[i].key))
            continue;
        time_format(seen[i].time, time);
        for (size_t k = 0; k < json_array_size(rows); k++)
            if (strcmp(text(rows, k, "time"), time) == 0 &&
                strcmp(text(rows, k, "key"), seen[i].key) == 0) {
                assert_int_equal(number(rows, k, "value"), run);
                found++;
            }
        assert_int_equal(found, 1);
        wanted_rows++;
    }
    assert_int_equal(json_array_size(rows), wanted_rows);
}

static void lines_of_sources_have_no_rest(void **state)
{
    struct world *w = world_of(state);
    static const enum ask_by groupings[] = {BY_COUNTRY, BY_TOOL, BY_ASN, BY_PORT};
    struct sighting *seen = malloc(sizeof *seen * WINDOWS * 1024);
    assert_non_null(seen);
    for (size_t i = 0; i < sizeof groupings / sizeof *groupings; i++) {
        struct ask a;
        ask_init(&a, ASK_SERIES);
        a.by = groupings[i];
        a.measure = MEASURE_SOURCES;
        a.limit = 2;
        a.step = US_HOUR;
        json_t *rows = answer(w->store, &a, NULL);
        assert_false(has_line(rows, "other"));
        assert_largest_lines(rows, seen, find_sightings(w, a.by, true, seen), a.limit);
        assert_exact_rows(rows, seen, find_sightings(w, a.by, false, seen));
        json_decref(rows);
    }
    free(seen);
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
    SAYS(
        "networks have their names, in lists, in series and in CSV", networks_have_their_names),
    SAYS("lines of sources are exact and have no rest", lines_of_sources_have_no_rest),
    SAYS("a series by the minute comes from packets", fine_series_come_from_packets),
    SAYS("movers are compared with the span before", movers_compare_with_the_span_before),
    SAYS("where no source was before, a mover has no ratio", movers_from_nothing_have_no_ratio),
    SAYS("sources are ranked and described", sources_are_ranked_and_described),
    SAYS("a source has its history", a_source_has_its_history),
    SAYS("pages put together are the whole list", pages_make_the_whole),
    SAYS("a page of packets reaches over times without any",
        pages_of_packets_reach_over_quiet_times),
    SAYS("packets come as their rows, in time order", packets_come_as_their_rows),
    SAYS("a stream has all rows, whatever the limit", a_stream_has_all_rows),
    SAYS("losses come by time and cause", losses_come_by_cause),
    SAYS(
        "losses do not move a site's first and last packet; a site of losses alone has neither",
        losses_do_not_move_the_times_of_a_site),
    SAYS("hostile words are refused and change nothing", hostile_words_are_refused),
    SAYS("wrong questions are told what is allowed", wrong_questions_say_what_is_allowed),
    SAYS("a cursor belongs to its question", cursors_belong_to_their_question),
};
int main(void)
{
    return cmocka_run_group_tests(tests, world_open, world_close);
}
