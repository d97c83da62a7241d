/* Reading what comes before a parcel's rows: head, words, looks. */
#include "bus/parcel_read_int.h"

#include <string.h>

enum {
    RULE_UNKNOWN = 0xffff
};

enum err parcel_bad(const struct reading *r, const char *what)
{
    return fault_set(r->fault, ERR_BAD, "a parcel whose %s is not in order", what);
}

/* ---- head and words ---- */

enum err parcel_get_head(struct reading *r)
{
    if (bytes_u8(&r->in) != PARCEL_VERSION)
        return fault_set(r->fault, ERR_BAD,
            "a parcel of another version; this program reads version %d", PARCEL_VERSION);
    uint8_t flags = bytes_u8(&r->in);
    struct parcel_account *a = &r->account;
    a->replay = flags & PARCEL_REPLAY;
    a->end = flags & PARCEL_END;
    a->masked = flags & PARCEL_MASKED;
    a->until = (int64_t)bytes_le64(&r->in);
    a->frames = bytes_varint(&r->in);
    a->bytes = bytes_varint(&r->in);
    a->dropped_kernel = bytes_varint(&r->in);
    a->dropped_queue = bytes_varint(&r->in);
    const uint64_t most = UINT64_C(1) << 40;
    bool high = a->frames > most || a->bytes > most << 16 || a->dropped_kernel > most ||
                a->dropped_queue > most;
    for (int i = 0; i < DECODE_RESULTS; i++) {
        uint64_t n = bytes_varint(&r->in);
        high = high || n > UINT32_MAX;
        a->failed[i] = (uint32_t)n;
    }
    uint64_t rows = bytes_varint(&r->in);
    if (r->in.cut || high || flags > PARCEL_FLAGS || a->until < 0 || rows > PARCEL_ROWS)
        return parcel_bad(r, "head");
    r->rows = (size_t)rows;
    return OK;
}

/* Words of a column, learned by the block: `word` gets their numbers there. */
static enum err get_words(struct reading *r, size_t column, uint16_t *word, size_t *ret_count)
{
    uint64_t count = bytes_varint(&r->in);
    if (r->in.cut || count > NAMES_MAX)
        return parcel_bad(r, "list of words");
    for (size_t i = 0; i < count; i++) {
        char text[RECORD_NAME_MAX + 1] = "";
        struct bytes one = bytes_take(&r->in, bytes_u8(&r->in));
        if (one.cut || one.left > RECORD_NAME_MAX || memchr(one.at, 0, one.left))
            return parcel_bad(r, "list of words");
        memcpy(text, one.at, one.left);
        if (block_word(r->b, column, text, &word[i]) != OK)
            return parcel_bad(r, "list of words");
    }
    *ret_count = (size_t)count;
    return OK;
}

enum err parcel_get_words(struct reading *r, const char *site, struct words *w)
{
    uint16_t number;
    if (block_word(r->b, PACKET_SITE, site, &number) != OK)
        return fault_set(r->fault, ERR_BAD, "\"%.64s\" is no name for a site", site);
    for (size_t i = 0; i < r->rows; i++)
        block_name(r->b, PACKET_SITE)[i] = number;
    enum err e = get_words(r, PACKET_TOOL, w->tool, &w->tools);
    if (!e)
        e = get_words(r, PACKET_CLASS, w->class, &w->classes);
    return e ? e : get_words(r, PACKET_COUNTRY, w->country, &w->countries);
}

/* ---- what the sensor saw ---- */

static uint16_t rule_find(const struct fingerprints *set, struct bytes id)
{
    for (size_t i = 0; set && i < fingerprints_count(set); i++) {
        const char *name = fingerprints_at(set, i)->id;
        if (strlen(name) == id.left && memcmp(name, id.at, id.left) == 0)
            return (uint16_t)i;
    }
    return RULE_UNKNOWN;
}

/* Which pairwise condition a rule has; -1: none. */
static int pair_of(const struct fingerprints *set, uint16_t rule)
{
    int k = 0;
    for (size_t i = 0; rule != RULE_UNKNOWN && i < rule; i++)
        k += fingerprints_at(set, i)->level == SIGNATURE_SOURCE;
    bool pair = rule != RULE_UNKNOWN && fingerprints_at(set, rule)->level == SIGNATURE_SOURCE;
    return pair && k < SIGNATURE_PAIRS_MAX ? k : -1;
}

static bool get_look(struct reading *r, const uint16_t *rule, const int *pair, size_t rules,
    struct sensor_look *l)
{
    *l = (struct sensor_look){0};
    uint8_t class = bytes_u8(&r->in);
    uint8_t hits = bytes_u8(&r->in);
    if (class >= CLASS_COUNT || hits > SIGNATURE_HITS)
        return false;
    l->class = (enum packet_class) class;
    for (unsigned k = 0; k < hits; k++) {
        uint8_t n = bytes_u8(&r->in);
        if (n >= rules)
            return false;
        if (rule[n] != RULE_UNKNOWN && pair[n] < 0)
            l->hits.rule[l->hits.count++] = (uint8_t)rule[n];
    }
    uint8_t each = bytes_u8(&r->in);
    for (unsigned k = 0; k < each; k++) {
        uint8_t n = bytes_u8(&r->in);
        if (n >= rules)
            return false;
        if (pair[n] >= 0)
            l->hits.each |= 1u << pair[n];
    }
    return !r->in.cut;
}

enum err parcel_get_looks(struct reading *r)
{
    uint16_t rule[SIGNATURES_MAX];
    int pair[SIGNATURES_MAX];
    size_t rules = bytes_u8(&r->in);
    if (rules > SIGNATURES_MAX)
        return parcel_bad(r, "list of signatures");
    for (size_t i = 0; i < rules; i++) {
        struct bytes id = bytes_take(&r->in, bytes_u8(&r->in));
        rule[i] = rule_find(r->set, id);
        pair[i] = pair_of(r->set, rule[i]);
    }
    uint64_t count = bytes_varint(&r->in);
    if (r->in.cut || count > PARCEL_LOOKS)
        return parcel_bad(r, "list of signatures");
    for (size_t i = 0; i < count; i++)
        if (!get_look(r, rule, pair, rules, &r->look[i]))
            return parcel_bad(r, "list of looks");
    r->look_count = (size_t)count;
    return OK;
}
