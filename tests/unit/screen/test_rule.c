#include "engine/service.h"
#include "screen/builtin.h"
#include "test.h"

#include <string.h>

static void read_rules(struct rules *r, const char *text)
{
    struct fault f = {0};
    rules_init(r);
    if (rules_parse(r, "t", bytes_over(text, strlen(text)), &f))
        fail_msg("%s", f.text);
}

/* A source that sent two things: 23/tcp in 40 bytes with a tool, 53/udp in 64 bytes. */
static void make_suspect(struct suspect *s, struct profile *p, struct words *w)
{
    words_init(w);
    uint8_t mirai = words_number(w, "mirai");
    *p = (struct profile){.classes = 1u << CLASS_SCAN, .country = {'k', 'r'}};
    *s = (struct suspect){.profile = p, .words = w, .thing_count = 2};
    s->thing[0] = thing_make(service_of(6, 23), 40.0, mirai, 2);
    s->thing[1] = thing_make(service_of(17, 53), 61.5, 0, 0);
    s->feature[FEATURE_SERVICES] = 2.0;
}

static void conditions_by_hand(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        bool fits;
    } rows[] = {
        {"if only 23/tcp 53/udp", true},
        {"if only 23/tcp", false},
        {"if only 23/tcp(size=40,flags=S,tool=mirai) 53/udp(size=64)", true},
        {"if only 23/tcp(size=40,flags=S,tool=) 53/udp", false},
        {"if sends 53/udp", true},
        {"if sends 53/udp(size=60)", false},
        {"if sends 23/tcp(flags=SA) 53/tcp", false},
        {"unless sends 53/udp", false},
        {"if tool mirai", true},
        {"if tool zmap", false},
        {"if class scan", true},
        {"if class worm", false},
        {"if country kr", true},
        {"if country jp", false},
        {"if services >= 2", true},
        {"if services <= 1", false},
        {"unless services >= 3", true},
    };
    struct suspect s;
    struct profile p;
    struct words w;
    make_suspect(&s, &p, &w);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        struct rules r;
        snprintf(text, sizeof text, "kizashi-screening-rules 1\nrule a\n label b\n %s\n",
            rows[i].condition);
        read_rules(&r, text);
        if (rule_fits(&r.list[0], &s) != rows[i].fits)
            fail_msg("%s", rows[i].condition);
        rules_done(&r);
    }
}

static void the_first_that_fits_decides(void **state)
{
    (void)state;
    struct suspect s;
    struct profile p;
    struct words w;
    struct rules r;
    make_suspect(&s, &p, &w);
    read_rules(&r, "kizashi-screening-rules 1\n"
                   "rule a\n label x\n if only 23/tcp\n"
                   "rule b\n label y\n if sends 53/udp\n"
                   "rule c\n label z\n if services >= 1\n");
    assert_int_equal(rules_first(&r, &s), 1);
    assert_true(rule_covers(&r.list[1], s.thing[1], &w));
    assert_false(rule_covers(&r.list[1], s.thing[0], &w));
    assert_true(rule_covers(&r.list[2], s.thing[0], &w));
    rules_done(&r);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    const char text[] = "kizashi-screening-rules 1\n"
                        "\n"
                        "rule hajime\n"
                        "  label hajime\n"
                        "  tag known\n"
                        "  if only 5358/tcp(size=40,flags=S) icmp/8 proto/47 23/tcp(tool=)\n"
                        "  unless class worm\n"
                        "  if win >= 65535\n"
                        "  support 181\n"
                        "  held-out 53 of 54\n"
                        "  from labels.csv\n"
                        "  proposed 2026-11-20T08:30:00Z\n"
                        "  accepted 2026-11-21T09:00:00Z\n"
                        "  by yk\n"
                        "  because seen since May\n";
    struct rules r;
    struct buf out;
    read_rules(&r, text);
    buf_init(&out, 1 << 16);
    rules_write(&r, &out);
    assert_string_equal((const char *)out.data, text);
    assert_int_equal(r.list[0].tag, TAG_KNOWN);
    assert_int_equal(r.list[0].held_out, 54);
    rules_done(&r);
    buf_done(&out);
}

static void mistakes_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *text, *told;
    } rows[] = {
        {"", "first line"},
        {"kizashi-screening-rules 2\n", "t:1: first line"},
        {"kizashi-screening-rules 1\nlabel a\n", "t:2: line \"label\": it stands in no rule"},
        {"kizashi-screening-rules 1\nrule a\n label b\n", "at least one condition"},
        {"kizashi-screening-rules 1\nrule a\n label b\n label c\n", "t:4: line \"label\""},
        {"kizashi-screening-rules 1\nrule a\n if only 23/tpc\n",
            "t:3: \"23/tpc\" is not a thing"},
        {"kizashi-screening-rules 1\nrule a\n if only 23/tcp(size=41)\n", "multiples of 4"},
        {"kizashi-screening-rules 1\nrule a\n if only 23/tcp(flags=AS)\n", "in this order"},
        {"kizashi-screening-rules 1\nrule a\n if ports >= 3\n", "a number of the profile"},
        {"kizashi-screening-rules 1\nrule a\n if services > 3\n", ">= or <="},
        {"kizashi-screening-rules 1\nrule a\n tag gone\n", "known and survey-like"},
        {"kizashi-screening-rules 1\nrule A\n", "a word is"},
        {"kizashi-screening-rules 1\nrule a\n held-out 5 of 4\n", "53 of 54"},
        {"kizashi-screening-rules 1\nrule a\n label b\n if tool c\nrule a\n label b\n if tool "
         "c\n",
            "there already"},
        {"kizashi-screening-rules 1\nrule a\x01\n", "control character"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rules r;
        struct fault f = {0};
        rules_init(&r);
        enum err e = rules_parse(&r, "t", bytes_over(rows[i].text, strlen(rows[i].text)), &f);
        if (e != ERR_BAD || !strstr(f.text, rows[i].told))
            fail_msg("%s: %s", rows[i].text, f.text);
        assert_int_equal(r.count, 0);
        rules_done(&r);
    }
}

static void built_in_rules_are_rules(void **state)
{
    (void)state;
    struct rules r;
    struct fault f;
    rules_init(&r);
    assert_int_equal(rules_builtin(&r, &f), OK);
    assert_true(r.count >= 3);
    for (size_t i = 0; i < r.count; i++)
        assert_int_equal(r.list[i].tag, TAG_SURVEY_LIKE);
    rules_done(&r);
}

static void things_keep_their_parts(void **state)
{
    (void)state;
    struct words w;
    char text[THING_TEXT];
    words_init(&w);
    uint8_t zmap = words_number(&w, "zmap");
    thing_key t = thing_make(service_of(6, 65535), 1500.0, zmap, 0xff);
    assert_true(thing_allowed(t));
    assert_int_equal(thing_service(t), service_of(6, 65535));
    assert_int_equal(thing_size(t), THING_SIZE_MOST);
    assert_int_equal(thing_tool(t), zmap);
    assert_int_equal(thing_flags(t), 0xff);
    struct thing_match m = thing_match_of(t, &w);
    assert_string_equal(
        thing_match_format(&m, text), "65535/tcp(size=1020,flags=FSRPAUEC,tool=zmap)");
    struct thing_match back;
    assert_int_equal(thing_match_parse(text, &back, NULL), OK);
    assert_true(thing_matches(&back, t, &w));
    assert_false(thing_allowed(t | (thing_key)1 << 40));
}

static const struct CMUnitTest tests[] = {
    SAYS("each condition holds where it should", conditions_by_hand),
    SAYS("the first rule that fits decides, and covers what it speaks of",
        the_first_that_fits_decides),
    SAYS("what is written is read as the same rules", what_is_written_is_read),
    SAYS("a mistake is told with its line, and nothing is kept", mistakes_are_told),
    SAYS("the built-in rules are read like any others", built_in_rules_are_rules),
    SAYS("a thing keeps its parts, in numbers and in words", things_keep_their_parts),
};
TEST_MAIN(tests)
