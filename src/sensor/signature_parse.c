/* Rule files: signature NAME { statement; ... } */
#include "base/clock.h"
#include "sensor/signature_int.h"
#include "sensor/sources_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* One rule while it is read. */
struct draft {
    struct fingerprints *set;
    struct rules_reader *r;
    struct rule rule;
    uint32_t seen; /* bit k: the k-th statement was given */
};

static void expect_end(struct rules_reader *r)
{
    char found[48];
    if (!rules_is(r, ";"))
        rules_fail(r, r->token.place, "';' expected, not %s", rules_shows(r, found));
    r->words_are_plain = false;
    rules_next(r);
}

/* A name for a column: letters a to z, digits and . _ : - */
static void read_name(struct draft *d, char ret_name[RECORD_NAME_MAX + 1])
{
    char found[48];
    const struct token *k = &d->r->token;
    bool good = k->kind == TOKEN_WORD && k->len <= RECORD_NAME_MAX;
    for (size_t i = 0; good && i < k->len; i++)
        good = !(k->at[i] >= 'A' && k->at[i] <= 'Z');
    if (!good) {
        rules_fail(d->r, k->place,
            "a name of at most %d small letters, digits and . _ : - expected, not %s",
            RECORD_NAME_MAX, rules_shows(d->r, found));
        return;
    }
    memcpy(ret_name, k->at, k->len);
    ret_name[k->len] = '\0';
    rules_next(d->r);
}

/* The number of the word at the reader in a list that ends with NULL. */
static unsigned read_choice(struct draft *d, const char *const *words)
{
    char found[48], allowed[160] = "";
    for (unsigned i = 0; words[i]; i++) {
        if (rules_is(d->r, words[i])) {
            rules_next(d->r);
            return i;
        }
        size_t used = strlen(allowed);
        snprintf(allowed + used, sizeof allowed - used, "%s%s", i ? ", " : "", words[i]);
    }
    rules_fail(d->r, d->r->token.place, "one of %s expected, not %s", allowed,
        rules_shows(d->r, found));
    return 0;
}

static void read_tool(struct draft *d)
{
    read_name(d, d->rule.shown.tool);
}

static void read_kind(struct draft *d)
{
    static const char *const words[] = {"tool", "worm", NULL};
    d->rule.shown.kind = (enum signature_kind)read_choice(d, words);
}

static const char *const scope_words[] = {"syn", "tcp", "udp", "icmp", "any", NULL};
static const unsigned scope_masks[] = {
    1u << SCOPE_SYN,
    1u << SCOPE_SYN | 1u << SCOPE_TCP,
    1u << SCOPE_UDP,
    1u << SCOPE_ICMP,
    (1u << SCOPE_COUNT) - 1,
};

static void read_on(struct draft *d)
{
    unsigned choice = read_choice(d, scope_words);
    d->rule.shown.scopes = scope_masks[choice];
    d->rule.shown.scope = scope_words[choice];
}

static uint32_t read_number(struct draft *d, uint32_t most, const char *what)
{
    char found[48];
    const struct token *k = &d->r->token;
    uint32_t value = k->number;
    if (k->kind != TOKEN_NUMBER || value > most)
        rules_fail(d->r, k->place, "%s expected, not %s", what, rules_shows(d->r, found));
    rules_next(d->r);
    return value;
}

static bool skip_mark(struct draft *d, const char *mark, const char *what)
{
    char found[48];
    if (!rules_is(d->r, mark)) {
        rules_fail(
            d->r, d->r->token.place, "%s expected, not %s", what, rules_shows(d->r, found));
        return false;
    }
    rules_next(d->r);
    return true;
}

static int64_t read_date(struct draft *d)
{
    static const char form[] = "a date as in 2024-03-03";
    struct place place = d->r->token.place;
    uint32_t year = read_number(d, 9999, form);
    skip_mark(d, "-", form);
    uint32_t month = read_number(d, 12, form);
    skip_mark(d, "-", form);
    uint32_t day = read_number(d, 31, form);
    char text[TIME_TEXT];
    int64_t us = 0;
    snprintf(text, sizeof text, "%04u-%02u-%02u", year, month, day);
    if (time_parse(text, &us))
        rules_fail(d->r, place, "%s is no date of the calendar", text);
    return us;
}

static void read_from(struct draft *d)
{
    d->rule.shown.from = read_date(d);
}

static void read_to(struct draft *d)
{
    d->rule.shown.to = read_date(d);
}

/* 2^-16, or 1/65536 */
static void read_chance(struct draft *d)
{
    static const char form[] = "a chance as in 2^-16 or 1/65536, at most 1/2,";
    struct place place = d->r->token.place;
    uint32_t base = read_number(d, UINT32_MAX, form);
    double bits = 0;
    if (rules_is(d->r, "/")) {
        rules_next(d->r);
        uint32_t denominator = read_number(d, UINT32_MAX, form);
        if (base && denominator)
            bits = log2((double)denominator) - log2((double)base);
    } else {
        skip_mark(d, "^", form);
        skip_mark(d, "-", form);
        bits = base > 1 ? read_number(d, 1024, form) * log2((double)base) : 0;
    }
    if (!(bits >= 1 && bits <= 1024))
        rules_fail(d->r, place, "%s expected", form);
    d->rule.shown.chance_bits = bits;
}

/* Copy bytes into the pool, runs of blanks as one; NUL follows them. */
static void pool_put(struct draft *d, const uint8_t *at, size_t len)
{
    struct fingerprints *set = d->set;
    if (set->pool_room - set->pool_count < len + 1) {
        rules_fail(d->r, d->r->token.place, "texts of all rules together are too long");
        return;
    }
    bool blank = false;
    for (size_t i = 0; i < len; i++) {
        bool is_blank = at[i] == ' ' || at[i] == '\n' || at[i] == '\t' || at[i] == '\r';
        if (!(is_blank && blank))
            set->pool[set->pool_count++] = is_blank ? ' ' : (char)at[i];
        blank = is_blank;
    }
    set->pool[set->pool_count] = '\0';
}

/* One or more texts, joined by blanks. */
static const char *read_texts(struct draft *d)
{
    char found[48];
    if (d->r->token.kind != TOKEN_TEXT) {
        rules_fail(d->r, d->r->token.place, "a text in quotes expected, not %s",
            rules_shows(d->r, found));
        return "";
    }
    const char *start = d->set->pool + d->set->pool_count;
    bool first = true;
    while (!d->r->err && d->r->token.kind == TOKEN_TEXT) {
        if (!first)
            pool_put(d, (const uint8_t *)" ", 1);
        first = false;
        pool_put(d, d->r->token.at, d->r->token.len);
        rules_next(d->r);
    }
    d->set->pool_count++; /* keep the NUL */
    return start;
}

static void read_source(struct draft *d)
{
    d->rule.shown.source = read_texts(d);
}

static void read_limits(struct draft *d)
{
    d->rule.shown.limits = read_texts(d);
}

/* An expression, and its text for people. */
static const char *read_expression(struct draft *d, bool pair, struct clauses *ret_clauses)
{
    const struct expression_kind kind = {.pair = pair};
    const uint8_t *start = d->r->token.at;
    expression_compile(d->set, d->r, &kind, ret_clauses, &d->rule.v4_only);
    if (d->r->err)
        return "";
    const char *text = d->set->pool + d->set->pool_count;
    pool_put(d, start, (size_t)(d->r->last_end - start));
    d->set->pool_count++;
    return text;
}

static void read_match(struct draft *d)
{
    d->rule.shown.match = read_expression(d, false, &d->rule.match);
}

static void read_each(struct draft *d)
{
    read_expression(d, false, &d->rule.match);
}

static void read_pair(struct draft *d)
{
    d->rule.shown.level = SIGNATURE_SOURCE;
    d->rule.shown.match = read_expression(d, true, &d->rule.pair);
}

enum statement_number {
    STATEMENT_TOOL,
    STATEMENT_KIND,
    STATEMENT_ON,
    STATEMENT_FROM,
    STATEMENT_TO,
    STATEMENT_CHANCE,
    STATEMENT_SOURCE,
    STATEMENT_LIMITS,
    STATEMENT_MATCH,
    STATEMENT_EACH,
    STATEMENT_PAIR,
    STATEMENT_COUNT
};

static const struct statement {
    const char *word;
    void (*read)(struct draft *d);
    bool expression;
} statements[STATEMENT_COUNT] = {
    [STATEMENT_TOOL] = {"tool", read_tool, false},
    [STATEMENT_KIND] = {"kind", read_kind, false},
    [STATEMENT_ON] = {"on", read_on, false},
    [STATEMENT_FROM] = {"from", read_from, false},
    [STATEMENT_TO] = {"to", read_to, false},
    [STATEMENT_CHANCE] = {"chance", read_chance, false},
    [STATEMENT_SOURCE] = {"source", read_source, false},
    [STATEMENT_LIMITS] = {"limits", read_limits, false},
    [STATEMENT_MATCH] = {"match", read_match, true},
    [STATEMENT_EACH] = {"each", read_each, true},
    [STATEMENT_PAIR] = {"pair", read_pair, true},
};

static void read_statement(struct draft *d)
{
    struct rules_reader *r = d->r;
    struct place place = r->token.place;
    char found[48];
    for (unsigned i = 0; i < STATEMENT_COUNT; i++) {
        if (!rules_is(r, statements[i].word))
            continue;
        if (d->seen & 1u << i)
            rules_fail(r, place, "'%s' is given twice", statements[i].word);
        d->seen |= 1u << i;
        r->words_are_plain = statements[i].expression;
        rules_next(r);
        if (!r->err)
            statements[i].read(d);
        expect_end(r);
        return;
    }
    rules_fail(r, place,
        "%s is no statement; there are tool kind on from to chance source limits match each "
        "pair",
        rules_shows(r, found));
}

/* Is everything there that a rule needs? */
static void check_draft(struct draft *d, struct place place)
{
    static const enum statement_number needed[] = {
        STATEMENT_ON, STATEMENT_CHANCE, STATEMENT_SOURCE};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!(d->seen & 1u << needed[i]))
            rules_fail(d->r, place, "signature %s has no '%s'", d->rule.shown.id,
                statements[needed[i]].word);
    bool match = d->seen & 1u << STATEMENT_MATCH;
    bool each = d->seen & 1u << STATEMENT_EACH;
    bool pair = d->seen & 1u << STATEMENT_PAIR;
    if (match == pair || match == each)
        rules_fail(d->r, place, "signature %s needs either 'match', or 'each' and 'pair'",
            d->rule.shown.id);
    if (d->rule.shown.from && d->rule.shown.to && d->rule.shown.to < d->rule.shown.from)
        rules_fail(d->r, place, "signature %s ends before it begins", d->rule.shown.id);
    for (size_t i = 0; i < d->set->rule_count; i++)
        if (strcmp(d->set->rule[i].shown.id, d->rule.shown.id) == 0)
            rules_fail(d->r, place, "there is already a signature %s", d->rule.shown.id);
}

static void add_rule(struct draft *d, struct place place)
{
    struct fingerprints *set = d->set;
    if (set->rule_count == SIGNATURES_MAX)
        rules_fail(d->r, place, "more than %d signatures", SIGNATURES_MAX);
    if (d->rule.shown.level == SIGNATURE_SOURCE && set->pair_count == SIGNATURE_PAIRS_MAX)
        rules_fail(d->r, place, "more than %d pairwise signatures", SIGNATURE_PAIRS_MAX);
    if (d->r->err)
        return;
    uint8_t number = (uint8_t)set->rule_count;
    if (d->rule.shown.level == SIGNATURE_SOURCE) {
        d->rule.pair_number = (uint8_t)set->pair_count;
        set->pair_rule[set->pair_count++] = number;
    }
    set->rule[set->rule_count++] = d->rule;
}

static void read_signature(struct fingerprints *set, struct rules_reader *r)
{
    char found[48];
    struct draft d = {.set = set, .r = r};
    struct place place = r->token.place;
    d.rule.shown.limits = "";
    if (!rules_is(r, "signature"))
        rules_fail(r, place, "'signature NAME {' expected, not %s", rules_shows(r, found));
    rules_next(r);
    place = r->token.place;
    read_name(&d, d.rule.shown.id);
    memcpy(d.rule.shown.tool, d.rule.shown.id, sizeof d.rule.shown.tool);
    skip_mark(&d, "{", "'{'");
    while (!r->err && !rules_is(r, "}") && r->token.kind != TOKEN_END)
        read_statement(&d);
    skip_mark(&d, "}", "a statement or '}'");
    if (!r->err)
        check_draft(&d, place);
    if (!r->err)
        add_rule(&d, place);
}

enum err signatures_read(
    struct fingerprints *set, const char *name, struct bytes text, struct fault *f)
{
    struct rules_reader r;
    rules_start(&r, name, text, f);
    while (!r.err && r.token.kind != TOKEN_END)
        read_signature(set, &r);
    return r.err;
}
