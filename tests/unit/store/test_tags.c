/* Questions that leave out what screening has tagged. In this world all of class "survey" is
 * tagged survey-like and all of tool "mirai" known, so that answers can be compared with those
 * to questions about class and tool. The last hour has not been screened. */
#include "screening.h"
#include "stored_world.h"

enum {
    SCREENED = WINDOWS - 6
};

static const char words[] = "23/tcp, 40 bytes, \"mirai\" it's \\x41\ttab";

static int screened_world_open(void **state)
{
    struct block *tagged = NULL;
    struct block *screening = NULL;
    world_open(state);
    struct world *w = *state;
    if (!w || !w->store)
        return 0;
    assert_int_equal(block_new(&tagged, &record_tagged, 1 << 16), OK);
    assert_int_equal(block_new(&screening, &record_screening, 1024), OK);
    for (size_t i = 0; i < SCREENED; i++) {
        const struct block *b = w->contacts[i];
        int64_t start = block_time(b, CONTACT_START)[0];
        screening_put(screening, start, "", "", "");
        screening_put(screening, start, "known", "mirai:23-tcp:40", words);
        for (size_t row = 0; row < b->rows; row++) {
            if (strcmp(block_word_at(b, CONTACT_TOOL, row), "mirai") == 0)
                tag_put(tagged, b, row, "known", "mirai:23-tcp:40");
            if (strcmp(block_word_at(b, CONTACT_CLASS, row), "survey") == 0)
                tag_put(tagged, b, row, "survey-like", "survey-fleet");
        }
    }
    append_block(w->store, tagged, "tagged");
    append_block(w->store, screening, "screening");
    block_free(tagged);
    block_free(screening);
    return 0;
}

/* A span, as far as it was screened. False: nothing of it was. */
static bool screened_span(struct ask *a, size_t span)
{
    int64_t end = shape.start + SCREENED * 10 * US_MINUTE;
    span_set(a, span);
    if (!a->to)
        a->from = shape.start;
    a->to = a->to && a->to < end ? a->to : end;
    return a->from < a->to;
}

static const enum ask_what lists[] = {ASK_TOTALS, ASK_PORTS, ASK_COUNTRIES, ASK_ASNS, ASK_TOOLS,
    ASK_CLASSES, ASK_SOURCES, ASK_MOVERS, ASK_SITES, ASK_SERIES};

/* The answer with a tag is that with `like`, which narrows to the same rows. */
static void same_answers(struct world *w, size_t span, const char *tag, const struct ask *like)
{
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct ask with;
        ask_init(&with, lists[i]);
        if (!screened_span(&with, span))
            continue;
        with.limit = 20;
        with.step = lists[i] == ASK_SERIES ? US_HOUR : 0;
        struct ask other = with;
        snprintf(with.tag, sizeof with.tag, "%s", tag);
        memcpy(other.class, like->class, sizeof other.class);
        memcpy(other.tool, like->tool, sizeof other.tool);
        json_t *a = answer(w->store, &with, NULL);
        json_t *b = answer(w->store, &other, NULL);
        if (!json_equal(a, b))
            fail_msg("list %zu, span %zu, tag %s", i, span, tag);
        json_decref(a);
        json_decref(b);
    }
}

static void what_has_a_tag_is_left_out(void **state)
{
    struct world *w = world_of(state);
    struct ask like;
    ask_init(&like, ASK_TOTALS);
    snprintf(like.class, sizeof like.class, "-survey");
    for (size_t span = 0; span < 5; span++)
        same_answers(w, span, "-survey-like", &like);
}

static void what_has_a_tag_can_be_asked_for(void **state)
{
    struct world *w = world_of(state);
    struct ask like;
    ask_init(&like, ASK_TOTALS);
    snprintf(like.tool, sizeof like.tool, "mirai");
    for (size_t span = 0; span < 5; span++)
        same_answers(w, span, "known", &like);
}

/* Both tags: neither surveys nor Mirai. */
static void two_tags_are_left_out_together(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    ask_init(&a, ASK_TOTALS);
    screened_span(&a, 0);
    struct ask known = a;
    snprintf(a.class, sizeof a.class, "-survey");
    known = a;
    snprintf(known.tool, sizeof known.tool, "mirai");
    uint64_t packets = count_again(w, &a).packets - count_again(w, &known).packets;
    a.class[0] = 0;
    snprintf(a.tag, sizeof a.tag, "-known,-survey-like");
    json_t *rows = answer(w->store, &a, NULL);
    assert_int_equal(number(rows, 0, "packets"), packets);
    json_decref(rows);
}

/* Nobody knows yet whether it is new. */
static void windows_that_were_not_screened_do_not_count(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    ask_init(&a, ASK_TOTALS);
    a.from = shape.start + SCREENED * 10 * US_MINUTE;
    a.to = shape.start + WINDOWS * 10 * US_MINUTE;
    assert_true(count_again(w, &a).packets > 0);
    snprintf(a.tag, sizeof a.tag, "-known");
    json_t *rows = answer(w->store, &a, NULL);
    assert_int_equal(number(rows, 0, "packets"), 0);
    json_decref(rows);
}

static void reasons_are_listed_with_their_words(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    struct ask like;
    ask_init(&a, ASK_SCREENED);
    ask_init(&like, ASK_TOTALS);
    screened_span(&like, 0);
    snprintf(like.tool, sizeof like.tool, "mirai");
    struct counted c = count_again(w, &like);
    snprintf(a.tag, sizeof a.tag, "known");
    json_t *rows = answer(w->store, &a, NULL);
    assert_int_equal(json_array_size(rows), 1);
    assert_string_equal(text(rows, 0, "reason"), "mirai:23-tcp:40");
    assert_string_equal(text(rows, 0, "what"), words);
    assert_int_equal(number(rows, 0, "packets"), c.packets);
    assert_int_equal(number(rows, 0, "sources"), c.sources);
    struct fault f = {0};
    struct buf csv;
    buf_init(&csv, 1 << 20);
    assert_int_equal(store_ask(w->store, &a, FORMAT_CSV, &csv, NULL, &f), OK);
    assert_non_null(strstr(
        (const char *)csv.data, ",\"23/tcp, 40 bytes, \"\"mirai\"\" it's \\x41\ttab\","));
    buf_done(&csv);
    json_decref(rows);
    a.tag[0] = 0;
    rows = answer(w->store, &a, NULL);
    assert_int_equal(json_array_size(rows), 2);
    json_decref(rows);
}

static void tagged_sources_are_listed(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    ask_init(&a, ASK_TAGGED);
    snprintf(a.reason, sizeof a.reason, "survey-fleet");
    a.limit = 5;
    json_t *rows = answer(w->store, &a, NULL);
    assert_int_equal(json_array_size(rows), 5);
    for (size_t i = 0; i < 5; i++) {
        struct ask one;
        ask_init(&one, ASK_TOTALS);
        screened_span(&one, 0);
        snprintf(one.class, sizeof one.class, "survey");
        one.has_src = true;
        one.src.bits = 128;
        assert_int_equal(ip_parse(text(rows, i, "src"), &one.src.ip), OK);
        assert_string_equal(text(rows, i, "tag"), "survey-like");
        assert_int_equal(number(rows, i, "packets"), count_again(w, &one).packets);
    }
    json_decref(rows);
}

static void what_has_no_tags_refuses_them(void **state)
{
    struct world *w = world_of(state);
    static const enum ask_what without[] = {ASK_PACKETS, ASK_VICTIMS, ASK_LOSSES};
    for (size_t i = 0; i < 4; i++) {
        struct ask a;
        struct fault f = {0};
        struct buf out;
        buf_init(&out, 1 << 16);
        ask_init(&a, i < 3 ? without[i] : ASK_SERIES);
        a.step = i < 3 ? 0 : US_MINUTE;
        snprintf(a.tag, sizeof a.tag, "-known");
        assert_int_equal(
            store_ask(w->store, &a, FORMAT_JSON, &out, NULL, &f), i < 3 ? ERR_BAD : ERR_RANGE);
        assert_non_null(strstr(f.text, "tag"));
        buf_done(&out);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("a tag is left out of every list", what_has_a_tag_is_left_out),
    SAYS("a tag can be asked for in every list", what_has_a_tag_can_be_asked_for),
    SAYS("two tags are left out together", two_tags_are_left_out_together),
    SAYS("windows that were not screened do not count with tags",
        windows_that_were_not_screened_do_not_count),
    SAYS("reasons are listed, with their words and sources",
        reasons_are_listed_with_their_words),
    SAYS("tagged sources are listed", tagged_sources_are_listed),
    SAYS(
        "packets, attacks, losses and short steps have no tags", what_has_no_tags_refuses_them),
};
int main(void)
{
    return cmocka_run_group_tests(tests, screened_world_open, world_close);
}
