#ifndef TESTS_UNIT_STORE_STORED_WORLD_H
#define TESTS_UNIT_STORE_STORED_WORLD_H

#include "test.h"

#include "store_test.h"
#include "telescope.h"

#include "base/json.h"

#include <math.h>
#include <string.h>

/* One store for most tests: 26 hours of two sites' contacts, so that some are rolled up (the
 * first day) and some wait (the hours after midnight), and what was sent in is at hand to count
 * again by plain loops. */

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

static inline void keep_packets(void *context, const struct block *b)
{
    struct world *w = context;
    char id[64];
    snprintf(id, sizeof id, "packet-%016llx", (unsigned long long)block_digest(b));
    append_block(w->store, b, id);
    assert_int_equal(block_append(w->packets, b, 0, b->rows), OK);
}

static inline int world_open(void **state)
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
    keep_up(w->store);
    struct block *first = NULL;
    assert_int_equal(block_new(&first, &record_packet, 200), OK);
    telescope_packets(&shape, w->contacts[0], first, keep_packets, w);
    keep_packets(w, first);
    block_free(first);
    return 0;
}

static inline int world_close(void **state)
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

static inline struct world *world_of(void **state)
{
    struct world *w = *state;
    if (!w->store)
        skip();
    return w;
}

/* The answer as JSON; the caller's reference. */
static inline json_t *answer(struct store *s, const struct ask *a, char cursor[ASK_CURSOR])
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

static inline json_int_t number(const json_t *rows, size_t row, const char *name)
{
    const json_t *value = json_object_get(json_array_get(rows, row), name);
    if (!json_is_number(value))
        fail_msg("row %zu has no number \"%s\"", row, name);
    return (json_int_t)json_number_value(value);
}

static inline const char *text(const json_t *rows, size_t row, const char *name)
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

/* "scan,worm": one of these; "-scan,-worm": neither. */
static inline bool class_wanted(const char *classes, const char *class)
{
    char all[96];
    char one[96];
    bool out = *classes == '-';
    if (!*classes)
        return true;
    snprintf(all, sizeof all, ",%s,", classes);
    snprintf(one, sizeof one, ",%s%s,", out ? "-" : "", class);
    return (strstr(all, one) != NULL) != out;
}

static inline bool wanted(const struct ask *a, const struct block *b, size_t i)
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
    if (!class_wanted(a->class, class))
        return false;
    if (a->has_src && !prefix_holds(&a->src, &block_ip(b, CONTACT_SRC)[i]))
        return false;
    return (a->proto < 0 || a->proto == block_u8(b, CONTACT_PROTO)[i]) &&
           (a->port < 0 || a->port == block_u16(b, CONTACT_DPORT)[i]) &&
           (a->asn < 0 || a->asn == block_u32(b, CONTACT_ASN)[i]);
}

static inline int compare_u64(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

static inline uint64_t distinct(uint64_t *values, size_t count)
{
    uint64_t different = 0;
    qsort(values, count, sizeof *values, compare_u64);
    for (size_t i = 0; i < count; i++)
        different += !i || values[i] != values[i - 1];
    return different;
}

static inline struct counted count_again(const struct world *w, const struct ask *a)
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
static inline bool near_enough(json_int_t found, uint64_t counted)
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

static inline void span_set(struct ask *a, size_t i)
{
    a->from = spans[i].from || spans[i].to ? shape.start + spans[i].from : 0;
    a->to = spans[i].from || spans[i].to ? shape.start + spans[i].to : 0;
}

/* Ways to narrow; each changes an ask. */
static inline void narrow(struct ask *a, size_t how)
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
    case 8:
        snprintf(a->class, sizeof a->class, "backscatter,survey");
        return;
    case 9:
        snprintf(a->class, sizeof a->class, "-backscatter,-survey");
        snprintf(a->site, sizeof a->site, "site-00");
        return;
    default:
        a->has_src = true;
        assert_int_equal(prefix_parse("80.0.0.0/5", true, &a->src), OK);
        return;
    }
}

enum {
    NARROWINGS = 11
};

/* Totals are those of the rows, whatever the span and the narrowing. */
static inline void totals_agree(void **state)
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

#endif
