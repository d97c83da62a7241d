#include "engine/classes.h"
#include "engine/countries.h"
#include "engine/portrait.h"
#include "engine/shelf.h"
#include "engine/tagged.h"
#include "engine/tally.h"
#include "test.h"

#include <string.h>

enum {
    ROWS = 64
};

struct sample {
    struct block *block;
    struct window_site sites[2];
    const struct block *blocks[1];
    struct window window;
    struct arena scratch;
};

static void sample_init(struct sample *s)
{
    memset(s, 0, sizeof *s);
    assert_int_equal(block_new(&s->block, &record_contact, ROWS), OK);
    strcpy(s->sites[0].name, "a");
    strcpy(s->sites[1].name, "b");
    s->sites[0].watching = s->sites[1].watching = true;
    s->blocks[0] = s->block;
    s->window = (struct window){.length = 600000000,
        .sites = s->sites,
        .site_count = 2,
        .kind = &record_contact,
        .blocks = s->blocks,
        .block_count = 1};
    arena_init(&s->scratch, 1 << 20);
}

static void sample_done(struct sample *s)
{
    block_free(s->block);
    arena_done(&s->scratch);
}

static uint16_t word(struct block *b, size_t column, const char *text)
{
    uint16_t number = 0;
    assert_int_equal(block_word(b, column, text, &number), OK);
    return number;
}

static void add(struct sample *s, const char *site, uint32_t src, uint8_t proto, uint16_t port,
    const char *class, const char *country)
{
    struct block *b = s->block;
    size_t i = b->rows++;
    block_name(b, CONTACT_SITE)[i] = word(b, CONTACT_SITE, site);
    block_ip(b, CONTACT_SRC)[i] = ip_from_v4(src);
    block_u8(b, CONTACT_PROTO)[i] = proto;
    block_u16(b, CONTACT_DPORT)[i] = port;
    block_name(b, CONTACT_CLASS)[i] = word(b, CONTACT_CLASS, class);
    block_name(b, CONTACT_TOOL)[i] = word(b, CONTACT_TOOL, "zmap");
    block_name(b, CONTACT_COUNTRY)[i] = word(b, CONTACT_COUNTRY, country);
    block_u32(b, CONTACT_PACKETS)[i] = src & 0xff;
    block_u64(b, CONTACT_DSTS)[i] = (uint64_t)1 << (i & 3);
}

static void groups_by_hand(void **state)
{
    (void)state;
    struct sample s;
    sample_init(&s);
    add(&s, "b", 0x01020304, 6, 23, "scan", "kr");
    add(&s, "a", 0x01020305, 6, 23, "scan", "kr");
    add(&s, "a", 0x01020305, 6, 23, "worm", "kr"); /* the same source in another class */
    add(&s, "a", 0x01020306, 6, 23, "survey", "us");
    add(&s, "a", 0x01020307, 17, 23, "scan", "jp");
    add(&s, "c", 0x01020308, 6, 23, "scan", "jp"); /* a site that the window does not know */
    add(&s, "a", 0x05020309, 6, 23, "odd", ""); /* a class of a later version counts as other */
    struct tally t;
    assert_int_equal(tally_build(&t, &s.window, 1u << CLASS_SURVEY, &s.scratch), OK);
    assert_int_equal(t.group_count, 3);
    assert_int_equal(t.groups[0].service, service_of(6, 23));
    assert_int_equal(t.groups[0].site, 0);
    assert_int_equal(t.groups[0].count, 2);
    assert_int_equal(t.groups[1].site, 1);
    assert_int_equal(t.groups[1].count, 1);
    assert_int_equal(t.groups[2].service, service_of(17, 23));
    assert_int_equal(tally_service_end(&t, 0), 2);

    struct portrait p;
    assert_int_equal(portrait_take(&p, &t, 0, 2, &s.scratch), OK);
    assert_int_equal(p.sources, 3);
    assert_int_equal(p.networks, 2);
    assert_int_equal(p.country_count, 1);
    assert_string_equal(p.countries[0].code, "kr");
    assert_int_equal(p.countries[0].sources, 2);
    assert_string_equal(p.tool, "zmap");
    assert_int_equal(p.host_count, 3);
    assert_int_equal(ip_v4(&p.hosts[0]), 0x05020309);
    assert_int_equal(ip_v4(&p.hosts[2]), 0x01020304);
    assert_int_equal(p.targets, 3);
    char text[PORTRAIT_ORIGIN];
    portrait_origin(&p, text, sizeof text);
    assert_string_equal(text, ""); /* of three */
    sample_done(&s);
}

static void origin_is_told_of_enough(void **state)
{
    (void)state;
    static const struct {
        uint32_t sources, from_kr;
        const char *text;
    } rows[] = {
        {19, 19, ""},
        {20, 9, ""},
        {20, 10, "South Korea: 10 of the 20 sources in this window (50 %)."},
        {1014, 812, "South Korea: 812 of the 1014 sources in this window (80 %)."},
        {1000, 999, "South Korea: 999 of the 1000 sources in this window (99 %)."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[PORTRAIT_ORIGIN];
        struct portrait p = {.sources = rows[i].sources, .country_count = 1};
        p.countries[0].sources = rows[i].from_kr;
        memcpy(p.countries[0].code, "kr", 3);
        portrait_origin(&p, text, sizeof text);
        assert_string_equal(text, rows[i].text);
    }
}

static void empty_windows_are_fine(void **state)
{
    (void)state;
    struct sample s;
    sample_init(&s);
    struct tally t;
    assert_int_equal(tally_build(&t, &s.window, 0, &s.scratch), OK);
    assert_int_equal(t.group_count, 0);
    s.window.block_count = 0;
    assert_int_equal(tally_build(&t, &s.window, 0, &s.scratch), OK);
    assert_int_equal(t.group_count, 0);
    struct portrait p;
    assert_int_equal(portrait_take(&p, &t, 0, 0, &s.scratch), OK);
    assert_int_equal(p.sources, 0);
    sample_done(&s);
}

static void memory_has_an_end(void **state)
{
    (void)state;
    struct sample s;
    sample_init(&s);
    for (uint32_t i = 0; i < ROWS; i++)
        add(&s, "a", i, 6, 23, "scan", "");
    struct arena small;
    arena_init(&small, 4096);
    struct tally t;
    assert_int_equal(tally_build(&t, &s.window, 0, &small), ERR_NOMEM);
    arena_done(&small);
    sample_done(&s);
}

static void services_keep_their_names(void **state)
{
    (void)state;
    static const struct {
        uint8_t proto;
        uint16_t port;
        const char *text;
    } rows[] = {
        {6, 0, "0/tcp"},
        {6, 65535, "65535/tcp"},
        {17, 53413, "53413/udp"},
        {1, 8, "icmp type 8"},
        {58, 128, "icmpv6 type 128"},
        {47, 0, "protocol 47"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t service = service_of(rows[i].proto, rows[i].port);
        char text[SERVICE_TEXT];
        assert_true(service < SERVICES);
        assert_int_equal(service_proto(service), rows[i].proto);
        assert_int_equal(service_port(service), rows[i].port);
        assert_string_equal(service_format(service, text), rows[i].text);
    }
}

/* Tags leave out rows, not sources: what else a source sends still counts. */
static void tags_leave_rows_out(void **state)
{
    (void)state;
    struct sample s;
    sample_init(&s);
    add(&s, "a", 0x01020304, 6, 23, "worm", "kr");
    add(&s, "a", 0x01020304, 6, 53413, "scan", "kr");
    add(&s, "a", 0x01020305, 6, 23, "scan", "kr");
    const uint8_t of_rows[] = {1u << TAG_KNOWN, 0, 1u << TAG_SURVEY_LIKE};
    const uint8_t *const tags[] = {of_rows};
    s.window.tags = tags;
    const struct {
        const char *leave_out;
        size_t sources;
    } rows[] = {{"none", 3}, {"known", 2}, {"survey-like", 2}, {"survey,known,survey-like", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tally t;
        unsigned leave_out;
        assert_int_equal(classes_parse(rows[i].leave_out, &leave_out, NULL), OK);
        assert_int_equal(tally_build(&t, &s.window, leave_out, &s.scratch), OK);
        assert_int_equal(t.source_count, rows[i].sources);
    }
    sample_done(&s);
}

/* Of the service at the site, and of what its class would leave out nothing. */
static void tags_are_told(void **state)
{
    (void)state;
    struct sample s;
    unsigned leave_out;
    char text[TAGGED_TEXT];
    uint8_t of_rows[ROWS] = {0};
    const uint8_t *const tags[] = {of_rows};
    const uint32_t service = service_of(6, 23);
    sample_init(&s);
    for (uint32_t i = 0; i < 12; i++)
        add(&s, "a", 0x01020304 + i, 6, 23, "worm", "kr");
    memset(of_rows, 1u << TAG_KNOWN, 14);
    add(&s, "a", 0x01020304, 6, 22, "worm", "kr");
    add(&s, "a", 0x01020404, 6, 23, "survey", "kr");
    add(&s, "a", 0x01020405, 6, 23, "scan", "kr");
    add(&s, "b", 0x01020406, 6, 23, "scan", "kr");
    of_rows[15] = 1u << TAG_SURVEY_LIKE;
    assert_int_equal(classes_parse("survey,known,survey-like", &leave_out, NULL), OK);
    tagged_tell(&s.window, service, "a", leave_out, text);
    assert_string_equal(text, ""); /* nobody screens */
    s.window.tags = tags;
    tagged_tell(&s.window, service, "a", leave_out, text);
    assert_string_equal(
        text, " Not counted are contacts with it in this window that are tagged: 12 known.");
    tagged_tell(&s.window, service, NULL, leave_out, text);
    assert_string_equal(text,
        " Not counted are contacts with it in this window that are tagged: 12 known, "
        "1 survey-like.");
    tagged_tell(&s.window, service, "b", leave_out, text);
    assert_string_equal(text, ""); /* one is not worth a sentence */
    assert_int_equal(classes_parse("survey", &leave_out, NULL), OK);
    tagged_tell(&s.window, service, NULL, leave_out, text);
    assert_string_equal(text, "");
    sample_done(&s);
}

static void what_a_cut_window_holds_does_not_count(void **state)
{
    (void)state;
    struct sample s;
    struct tally t;
    unsigned leave_out;
    sample_init(&s);
    add(&s, "a", 0x01020304, 6, 23, "scan", "kr");
    add(&s, "b", 0x01020304, 6, 23, "scan", "kr");
    s.sites[0].watching = false;
    assert_int_equal(classes_parse("none", &leave_out, NULL), OK);
    assert_int_equal(tally_build(&t, &s.window, leave_out, &s.scratch), OK);
    assert_int_equal(t.group_count, 1);
    assert_int_equal(t.groups[0].site, 1);
    assert_int_equal(tally_build(&t, &s.window, 0, &s.scratch), OK);
    assert_int_equal(t.group_count, 2);
    sample_done(&s);
}

static void words_are_classes_or_tags(void **state)
{
    (void)state;
    unsigned bits;
    struct fault f;
    assert_int_equal(classes_parse("none", &bits, &f), OK);
    assert_int_equal(bits, LEAVE_OUT_UNWATCHED);
    assert_int_equal(classes_parse("known", &bits, &f), OK);
    assert_int_equal(bits, LEAVE_OUT_UNWATCHED | 1u << (LEAVE_OUT_TAGS + TAG_KNOWN));
    assert_int_equal(classes_parse("survey,noise", &bits, &f), ERR_RANGE);
    assert_non_null(strstr(f.text, "\"noise\""));
    assert_non_null(strstr(f.text, "survey-like"));
}

static void a_shelf_keeps_what_was_made(void **state)
{
    (void)state;
    struct sample s;
    struct shelf *shelf = NULL;
    struct tally first, again, other, none;
    sample_init(&s);
    add(&s, "a", 0x01020305, 6, 23, "scan", "kr");
    add(&s, "b", 0x01020306, 6, 80, "survey", "us");
    assert_int_equal(shelf_new(&shelf, 1 << 20), OK);
    s.window.shelf = shelf;
    assert_int_equal(tally_build(&first, &s.window, 0, &s.scratch), OK);
    assert_int_equal(tally_build(&again, &s.window, 0, &s.scratch), OK);
    assert_int_equal(tally_build(&other, &s.window, 1u << CLASS_SURVEY, &s.scratch), OK);
    assert_int_equal(s.scratch.used, 0);
    assert_ptr_equal(first.sources, again.sources);
    assert_int_equal(first.source_count, 2);
    assert_int_equal(other.source_count, 1);
    /* More kinds than there are places for, or no memory: everybody makes its own. */
    for (unsigned leave_out = 8; leave_out < 16; leave_out++)
        assert_int_equal(tally_build(&none, &s.window, leave_out, &s.scratch), OK);
    assert_int_not_equal(s.scratch.used, 0);
    shelf_clear(shelf);
    s.block->rows = 1;
    assert_int_equal(tally_build(&first, &s.window, 0, &s.scratch), OK);
    assert_int_equal(first.source_count, 1);
    shelf_free(shelf);
    assert_int_equal(shelf_new(&shelf, 16), OK);
    s.window.shelf = shelf;
    assert_int_equal(tally_build(&first, &s.window, 0, &s.scratch), OK);
    assert_int_equal(first.source_count, 1);
    shelf_free(shelf);
    sample_done(&s);
}

static void countries_come_by_their_sources(void **state)
{
    (void)state;
    static const char *const codes[] = {
        "us", "kr", "zz", "kr", "", "K1", "aa", "us", "z{", "br", "kr"};
    static const struct {
        const char *code;
        uint32_t sources;
    } expected[] = {{"kr", 3}, {"us", 2}, {"aa", 1}, {"br", 1}, {"zz", 1}};
    struct countries c = {{0}};
    char code[3];
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        countries_add(&c, codes[i]);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_int_equal(countries_most(&c, code), expected[i].sources);
        assert_string_equal(code, expected[i].code);
    }
    assert_int_equal(countries_most(&c, code), 0);
}

static const struct CMUnitTest tests[] = {
    SAYS("a tally is made once a window, by whoever asks first", a_shelf_keeps_what_was_made),
    SAYS("a tag leaves out a row, not its source", tags_leave_rows_out),
    SAYS("contacts that do not count for their tags alone are told by number", tags_are_told),
    SAYS("what a site heard in a window that it did not watch as a whole does not count",
        what_a_cut_window_holds_does_not_count),
    SAYS("what is left out is named by class or tag", words_are_classes_or_tags),
    SAYS("a country is named if at least twenty sources tell it and half of them agree",
        origin_is_told_of_enough),
    SAYS("contacts fall into groups of service and site, each source once", groups_by_hand),
    SAYS("a window without rows or blocks has no groups", empty_windows_are_fine),
    SAYS("a window too large for the scratch memory is refused", memory_has_an_end),
    SAYS("services keep protocol and port", services_keep_their_names),
    SAYS("countries come by how many sources they have, then by code",
        countries_come_by_their_sources),
};
TEST_MAIN(tests)
