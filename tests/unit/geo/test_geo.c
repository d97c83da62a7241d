#include "geo/geo.h"

#include "base/buf.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/rng.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file of the test's own, in a buffer of the caller's. */
static void write_file(char path[64], const void *data, size_t len)
{
    strcpy(path, "/tmp/kizashi-geo-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), len);
    close(fd);
}

static enum err open_data(struct geo **g, const void *data, size_t len, struct fault *f)
{
    char path[64];
    const char *files[] = {path};
    write_file(path, data, len);
    enum err e = geo_open(g, &(struct geo_options){.files = files, .file_count = 1}, f);
    unlink(path);
    return e;
}

static struct geo_place find(const struct geo *g, const char *text)
{
    struct ip ip;
    struct geo_place p;
    assert_int_equal(ip_parse(text, &ip), OK);
    geo_find(g, &ip, &p);
    return p;
}

static void expect(const struct geo *g, const char *ip, const char *country, uint32_t asn)
{
    struct geo_place p = find(g, ip);
    char text[3] = {p.country[0], p.country[1], 0};
    if (strcmp(text, country) != 0 || p.asn != asn)
        fail_msg("%s is %s AS%u, not %s AS%u", ip, text, p.asn, country, asn);
}

static const char small_text[] = "# Generated: Thu, 25 Jun 2026 04:33:59 GMT\n"
                                 "# Vendor:    IPFire Project\n"
                                 "# License:   CC BY-SA 4.0\n"
                                 "\n"
                                 "16777216,16777471,AU\n"
                                 "16777472,16778239,CN\r\n"
                                 "16778240,16779263,??\n"
                                 "4294967040,4294967295,JP\n"
                                 "2001:200::,2001:200:134:ffff:ffff:ffff:ffff:ffff,JP\n";

static void text(void **state)
{
    (void)state;
    struct geo *g;
    struct fault f;
    assert_int_equal(open_data(&g, small_text, strlen(small_text), &f), OK);
    expect(g, "1.0.0.0", "au", 0);
    expect(g, "1.0.0.255", "au", 0);
    expect(g, "1.0.1.0", "cn", 0);
    expect(g, "1.0.4.0", "", 0);
    expect(g, "1.0.8.0", "", 0);
    expect(g, "255.255.255.255", "jp", 0);
    expect(g, "2001:200::1", "jp", 0);
    expect(g, "2001:200:135::", "", 0);
    struct geo_origin o[4];
    assert_int_equal(geo_origins(g, o, 4), 2);
    assert_string_equal(o[0].what, "country of IPv4");
    assert_string_equal(o[0].origin, "IPFire Project");
    assert_string_equal(o[0].licence, "CC BY-SA 4.0");
    assert_int_equal(o[0].rows, 4);
    assert_int_equal(o[1].rows, 1);
    char date[TIME_TEXT];
    assert_string_equal(time_format(o[0].date, date), "2026-06-25T00:00:00Z");
    assert_non_null(strstr(geo_advice(g)[0], "libloc-database"));
    assert_null(geo_advice(g)[1]);
    geo_close(g);
}

static void bad_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *fault;
    } rows[] = {
        {"1,2,AU\nhello\n", ":2: not FIRST,LAST,CC"},
        {"1,2\n", ":1: not FIRST,LAST,CC"},
        {"1,2,AUS\n", ":1: not FIRST,LAST,CC"},
        {"1,2,au\n", ":1: not FIRST,LAST,CC"},
        {"1,2,A\n", ":1: not FIRST,LAST,CC"},
        {"-1,2,AU\n", ":1: not FIRST,LAST,CC"},
        {"1,4294967296,AU\n", ":1: not FIRST,LAST,CC"},
        {"1.2.3.4,1.2.3.5,AU\n", ":1: not FIRST,LAST,CC"},
        {"2001:::,2001::,AU\n", ":1: not FIRST,LAST,CC"},
        {"# x\n\n5,4,AU\n", ":3: the range ends before it begins"},
        {"5,2001::,AU\n", ":1: the range ends before it begins or is of two families"},
        {"1,10,AU\n5,15,CN\n", "its ranges number 1 and 2 cross"},
        {"LOCDBXX\x02", "version 2 of the location database"},
        {"LOCDBXX\x01", "its header names tables beyond"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct geo *g;
        struct fault f = {0};
        assert_true(open_data(&g, rows[i].text, strlen(rows[i].text), &f) != OK);
        assert_non_null(strstr(f.text, "/tmp/kizashi-geo-"));
        if (!strstr(f.text, rows[i].fault))
            fail_msg("%s\n  gives    %s", rows[i].text, f.text);
    }
}

/* Longer than any line, so that lines before it are read by the reader of those in the usual
 * form. */
static const char filler[] =
    "#                                                                               "
    "                                                                                \n";

/* A line from an address to itself, for either of the two readers of lines: the careful one has
 * the last lines of a file to itself. */
static enum err open_form(struct geo **ret_geo, const char *form, bool careful)
{
    char lines[400];
    struct fault f;
    snprintf(lines, sizeof lines, "%s,%s,JP\n%s", form, form, careful ? "" : filler);
    return open_data(ret_geo, lines, strlen(lines), &f);
}

/* Both readers take what ip_parse() takes. */
static void address_forms(void **state)
{
    (void)state;
    static const char *const forms[] = {"2001:db8::", "2001:DB8::1", "::", "::1",
        "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3::6:7:8", "1::8",
        "a:b:c:d:e:f:1:2", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::192.0.2.1",
        "::ffff:1.2.3.4", "::ffff:102:304", "0:0:0:0:0:ffff:1:2", "1:2:3:4:5:6:7", "1:2",
        "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1::2::3", ":::", ":1",
        "1:", "1:::2", "12345::", "g::", "1 ::", "::1:"};
    for (size_t i = 0; i < 2 * (sizeof forms / sizeof *forms); i++) {
        const char *form = forms[i / 2];
        struct geo *g;
        struct ip ip;
        bool fine = ip_parse(form, &ip) == OK && !ip_is_v4(&ip);
        enum err e = open_form(&g, form, i % 2 == 0);
        if ((e == OK) != fine)
            fail_msg("%s is %s", form, fine ? "refused" : "taken");
        if (e)
            continue;
        expect(g, form, "jp", 0);
        geo_close(g);
    }
}

static void number_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool fine;
    } forms[] = {{"0", true}, {"7", true}, {"1234567", true}, {"12345678", true},
        {"123456789", true}, {"4294967295", true}, {"4294967296", false}, {"0000000001", true},
        {"00000000001", false}, {"99999999999", false}, {"", false}, {"1x", false},
        {"1234567x", false}, {"12345678x", false}, {"/", false}, {" 1", false}, {"1 ", false}};
    for (size_t i = 0; i < 2 * (sizeof forms / sizeof *forms); i++) {
        const char *form = forms[i / 2].text;
        struct geo *g;
        enum err e = open_form(&g, form, i % 2 == 0);
        if ((e == OK) != forms[i / 2].fine)
            fail_msg("\"%s\" is %s", form, e ? "refused" : "taken");
        if (e)
            continue;
        struct ip ip = ip_from_v4((uint32_t)strtoull(form, NULL, 10));
        struct geo_place place;
        geo_find(g, &ip, &place);
        assert_memory_equal(place.country, "jp", 2);
        geo_close(g);
    }
}

/* Such files are read once more, and sorted. */
static void any_order(void **state)
{
    (void)state;
    static const char rows[] = "16778240,16779263,JP\n"
                               "16777216,16781311,AU\n"
                               "2001:db8:1::,2001:db8:1:ffff:ffff:ffff:ffff:ffff,SE\n"
                               "16777216,16777471,CN\n"
                               "2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,FI\n";
    struct geo *g;
    struct fault f;
    char text[sizeof rows + sizeof filler];
    snprintf(text, sizeof text, "%s%s", rows, filler);
    assert_int_equal(open_data(&g, text, strlen(text), &f), OK);
    expect(g, "1.0.0.1", "cn", 0);
    expect(g, "1.0.1.1", "au", 0);
    expect(g, "1.0.4.1", "jp", 0);
    expect(g, "1.0.8.1", "au", 0);
    expect(g, "1.0.16.0", "", 0);
    expect(g, "2001:db8:1::1", "se", 0);
    expect(g, "2001:db8:2::1", "fi", 0);
    struct geo_origin o[4];
    assert_int_equal(geo_origins(g, o, 4), 2);
    assert_int_equal(o[0].rows, 3);
    geo_close(g);
}

/* Random networks, some within others, against a search through all of them; countries and
 * networks have borders of their own. */
static void dense_networks(void **state)
{
    (void)state;
    enum {
        LINES = 3000
    };
    static char text[LINES * 40];
    static uint32_t first[LINES], last[LINES];
    static char code[LINES];
    struct rng rng;
    size_t len = 0;
    uint32_t at = 0;
    rng_seed(&rng, 5);
    for (int i = 0; i < LINES; i++) {
        /* Single addresses and /24s close together, and gaps of many /16s. */
        at += (uint32_t)rng_below(&rng, i % 50 ? 600 : 100u << 16);
        first[i] = at;
        at += (uint32_t)rng_below(&rng, i % 3 ? 256 : 2);
        last[i] = at++;
        code[i] = (char)('A' + rng_below(&rng, 26));
        len += (size_t)snprintf(
            text + len, sizeof text - len, "%u,%u,A%c\n", first[i], last[i], code[i]);
    }
    struct geo *g;
    struct fault f;
    assert_int_equal(open_data(&g, text, len, &f), OK);
    for (int k = 0; k < 20000; k++) {
        int i = (int)rng_below(&rng, LINES);
        uint32_t address = (k % 2 ? first[i] : last[i]) + (uint32_t)rng_below(&rng, 3) - 1;
        struct ip ip = ip_from_v4(address);
        struct geo_place place;
        char want = 0;
        for (int n = 0; n < LINES; n++)
            if (first[n] <= address && address <= last[n])
                want = code[n];
        for (unsigned step = 0; step < GEO_STEPS; step++)
            geo_prefetch(g, &ip, step);
        geo_find(g, &ip, &place);
        assert_int_equal(place.country[1], want ? want - 'A' + 'a' : 0);
    }
    geo_close(g);
}

static void missing(void **state)
{
    (void)state;
    struct geo *g;
    struct fault f;
    const char *files[] = {"/nowhere/geo.mmdb"};
    const struct geo_options named = {.files = files, .file_count = 1};
    assert_int_equal(geo_open(&g, &named, &f), ERR_NOTFOUND);
    assert_string_equal(
        f.text, "/nowhere/geo.mmdb: cannot be opened: No such file or directory");
    const struct geo_options none = {0};
    assert_int_equal(geo_open(&g, &none, &f), OK);
    expect(g, "8.8.8.8", "", 0);
    assert_string_equal(geo_asn_name(g, 1), "");
    assert_int_equal(geo_origins(g, NULL, 0), 0);
    assert_non_null(strstr(geo_advice(g)[0], "tor-geoipdb"));
    assert_non_null(geo_advice(g)[1]);
    geo_close(g);
    expect(NULL, "8.8.8.8", "", 0);
}

/* Read by a thread: whoever asks waits. */
static void behind(void **state)
{
    (void)state;
    struct geo *g;
    struct fault f = {0};
    struct geo_origin o[4];
    char path[64];
    const char *files[] = {path};
    const struct geo_options options = {.files = files, .file_count = 1};
    write_file(path, small_text, strlen(small_text));
    for (int i = 0; i < 20; i++) {
        assert_int_equal(geo_open_behind(&g, &options, &f), OK);
        if (i % 3 == 0)
            expect(g, "1.0.1.0", "cn", 0);
        else if (i % 3 == 1)
            assert_int_equal(geo_origins(g, o, 4), 2);
        else
            assert_non_null(strstr(geo_advice(g)[0], "libloc-database"));
        assert_int_equal(geo_settle(g, &f), OK);
        expect(g, "2001:200::1", "jp", 0);
        geo_close(g);
        assert_int_equal(geo_open_behind(&g, &options, &f), OK);
        geo_close(g); /* nobody has asked */
    }
    unlink(path);
    assert_int_equal(geo_open_behind(&g, &options, &f), OK);
    expect(g, "1.0.1.0", "", 0);
    expect(g, "2001:200::1", "", 0);
    assert_string_equal(geo_asn_name(g, 1), "");
    assert_int_equal(geo_origins(g, o, 4), 0);
    assert_null(geo_advice(g)[0]);
    assert_int_equal(geo_settle(g, &f), ERR_NOTFOUND);
    assert_non_null(strstr(f.text, "cannot be opened: No such file"));
    geo_close(g);
    assert_int_equal(geo_settle(NULL, &f), OK);
}

/* location.db: header, then two networks under a tree over IPv6. */
struct location {
    struct buf out;
    struct buf tree;
    uint32_t nodes;
};

static uint32_t new_node(struct location *l)
{
    buf_be32(&l->tree, 0);
    buf_be32(&l->tree, 0);
    buf_be32(&l->tree, UINT32_MAX);
    return l->nodes++;
}

static void set_be32(struct buf *b, size_t at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        b->data[at + (size_t)i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get_be32(const struct buf *b, size_t at)
{
    struct bytes in = bytes_over(b->data + at, 4);
    return bytes_be32(&in);
}

static void add_network(struct location *l, const char *prefix, uint32_t network)
{
    struct prefix p;
    assert_int_equal(prefix_parse(prefix, false, &p), OK);
    uint32_t node = 0;
    for (unsigned i = 0; i < p.bits; i++) {
        bool one = p.ip.byte[i / 8] & 0x80 >> i % 8;
        size_t at = node * 12 + (one ? 4 : 0);
        uint32_t next = get_be32(&l->tree, at);
        if (!next) {
            next = new_node(l);
            set_be32(&l->tree, at, next);
        }
        node = next;
    }
    set_be32(&l->tree, node * 12 + 8, network);
}

static void begin_location(struct location *l)
{
    buf_init(&l->out, 1 << 20);
    buf_init(&l->tree, 1 << 20);
    l->nodes = 0;
    new_node(l);
}

/* The file, with the tree that has been made. */
static void end_location(struct location *l)
{
    static const char pool[] = "\0Vendor\0Licence one\nmore\0EXAMPLE-AS";
    static const uint8_t networks[] = {'J', 'P', 0, 0, 0, 0, 0xfc, 0, 0, 0, 0, 0, 'D', 'E', 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 'U', 'S', 0, 0, 0, 0, 0, 7, 0, 0, 0, 0};
    static const uint8_t as[] = {0, 0, 0xfc, 0, 0, 0, 0, 25};
    enum {
        HEADER = 8 + 64 + 2 * 2048 + 32
    };
    buf_put(&l->out, "LOCDBXX\x01", 8);
    buf_be32(&l->out, 0);
    buf_be32(&l->out, 1667023194);
    buf_be32(&l->out, 1); /* vendor */
    buf_be32(&l->out, 0);
    buf_be32(&l->out, 8); /* licence */
    uint32_t at = HEADER;
    const uint32_t lengths[] = {
        sizeof as, sizeof networks, (uint32_t)l->tree.len, 0, sizeof pool};
    for (int i = 0; i < 5; i++) {
        buf_be32(&l->out, at);
        buf_be32(&l->out, lengths[i]);
        at += lengths[i];
    }
    while (l->out.len < HEADER)
        buf_u8(&l->out, 0);
    buf_put(&l->out, as, sizeof as);
    buf_put(&l->out, networks, sizeof networks);
    buf_put(&l->out, l->tree.data, l->tree.len);
    buf_put(&l->out, pool, sizeof pool);
    assert_int_equal(l->out.err, OK);
}

static void make_location(struct location *l)
{
    begin_location(l);
    add_network(l, "192.0.2.0/24", 0);
    add_network(l, "192.0.2.128/25", 1);
    add_network(l, "2001:db8::/32", 2);
    end_location(l);
}

static void free_location(struct location *l)
{
    buf_done(&l->out);
    buf_done(&l->tree);
}

static void location(void **state)
{
    (void)state;
    struct location l;
    struct geo *g;
    struct fault f;
    make_location(&l);
    enum err e = open_data(&g, l.out.data, l.out.len, &f);
    if (e)
        fail_msg("%s", f.text);
    expect(g, "192.0.2.1", "jp", 0xfc00);
    expect(g, "192.0.2.127", "jp", 0xfc00);
    expect(g, "192.0.2.128", "de", 0xfc00); /* the inner network has no number of its own */
    expect(g, "192.0.3.0", "", 0);
    expect(g, "2001:db8:ffff::1", "us", 7);
    assert_string_equal(geo_asn_name(g, 0xfc00), "EXAMPLE-AS");
    assert_string_equal(geo_asn_name(g, 7), "");
    struct geo_origin o[4];
    assert_int_equal(geo_origins(g, o, 4), 4);
    assert_string_equal(o[2].what, "network of IPv4");
    assert_string_equal(o[2].origin, "Vendor");
    assert_string_equal(o[2].licence, "Licence one");
    assert_int_equal(o[2].date, INT64_C(1667023194000000));
    geo_close(g);
    free_location(&l);
}

/* Networks around IPv4: one that holds all of it and more says nothing, the ones beside it and
 * within it keep to their family. */
static void around_ip4(void **state)
{
    (void)state;
    static const struct {
        const char *prefix;
        uint32_t network;
    } networks[] = {{"::/0", 2}, {"::fffe:0:0/95", 1}, {"::/64", 1}, {"0.0.0.0/1", 0},
        {"0.0.0.0/32", 1}, {"255.255.255.255/32", 2}, {"::1:0:0:0/80", 0},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", 0}};
    struct location l;
    struct geo *g;
    struct fault f;
    begin_location(&l);
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        add_network(&l, networks[i].prefix, networks[i].network);
    end_location(&l);
    enum err e = open_data(&g, l.out.data, l.out.len, &f);
    if (e)
        fail_msg("%s", f.text);
    expect(g, "0.0.0.0", "de", 0xfc00);
    expect(g, "0.0.0.1", "jp", 0xfc00);
    expect(g, "127.255.255.255", "jp", 0xfc00);
    expect(g, "128.0.0.0", "", 0);
    expect(g, "255.255.255.254", "", 0);
    expect(g, "255.255.255.255", "us", 7);
    expect(g, "::1", "de", 7);
    expect(g, "::1:0:0:1", "jp", 0xfc00);
    expect(g, "::2:0:0:1", "de", 7);
    expect(g, "2001:db8::1", "us", 7);
    expect(g, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "us", 7);
    expect(g, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "jp", 0xfc00);
    geo_close(g);
    free_location(&l);
}

static void broken_location(void **state)
{
    (void)state;
    struct location l;
    struct geo *g;
    struct fault f;
    make_location(&l);
    size_t tree = 8 + 64 + 2 * 2048 + 32 + 8 + 36;
    /* A circle: the root is its own child. */
    uint32_t kept = get_be32(&l.out, tree + 12);
    set_be32(&l.out, tree + 12, 1);
    assert_int_equal(open_data(&g, l.out.data, l.out.len, &f), ERR_BAD);
    assert_non_null(strstr(f.text, "in a circle"));
    /* A child that is not there. */
    set_be32(&l.out, tree + 12, 1000000);
    assert_int_equal(open_data(&g, l.out.data, l.out.len, &f), ERR_BAD);
    set_be32(&l.out, tree + 12, kept);
    /* A network that is not there. */
    set_be32(&l.out, tree + 8, 3);
    assert_int_equal(open_data(&g, l.out.data, l.out.len, &f), ERR_BAD);
    /* Cut. */
    assert_int_equal(open_data(&g, l.out.data, l.out.len - 1, &f), ERR_SHORT);
    free_location(&l);
}

/* An MMDB of IPv4 with two prefixes, 0.0.0.0/1 and 128.0.0.0/2: format 2.0 as published. */
static void mmdb_text(struct buf *b, const char *text)
{
    size_t len = strlen(text);
    if (len < 29) {
        buf_u8(b, (uint8_t)(2 << 5 | len));
    } else {
        buf_u8(b, 2 << 5 | 29);
        buf_u8(b, (uint8_t)(len - 29));
    }
    buf_str(b, text);
}

enum mmdb_type {
    MMDB_UINT16 = 5,
    MMDB_UINT32 = 6,
    MMDB_UINT64 = 9
};

static void mmdb_number(struct buf *b, const char *key, enum mmdb_type type, uint32_t value)
{
    mmdb_text(b, key);
    if (type == MMDB_UINT16) {
        buf_u8(b, MMDB_UINT16 << 5 | 2);
        buf_be16(b, (uint16_t)value);
    } else if (type == MMDB_UINT32) {
        buf_u8(b, MMDB_UINT32 << 5 | 4);
        buf_be32(b, value);
    } else {
        buf_u8(b, 4);
        buf_u8(b, MMDB_UINT64 - 7);
        buf_be32(b, value);
    }
}

static void mmdb_node(struct buf *b, uint32_t left, uint32_t right)
{
    const uint32_t records[] = {left, right};
    for (int i = 0; i < 2; i++) {
        buf_u8(b, (uint8_t)(records[i] >> 16));
        buf_be16(b, (uint16_t)records[i]);
    }
}

enum {
    MMDB_MAP = 7 << 5,
    MMDB_SECOND = 128 /* where the second record of data is; the first is at 0 */
};

/* What follows the nodes. */
static void mmdb_rest(struct buf *b, uint32_t nodes, uint32_t version)
{
    for (int i = 0; i < 16; i++)
        buf_u8(b, 0);
    size_t data = b->len;
    buf_u8(b, MMDB_MAP | 3);
    mmdb_text(b, "country");
    buf_u8(b, MMDB_MAP | 1);
    mmdb_text(b, "iso_code");
    mmdb_text(b, "SE");
    mmdb_number(b, "autonomous_system_number", MMDB_UINT32, 64500);
    mmdb_text(b, "autonomous_system_organization");
    mmdb_text(b, "Example");
    assert_true(b->len - data < MMDB_SECOND);
    while (b->len - data < MMDB_SECOND)
        buf_u8(b, 0);
    buf_u8(b, MMDB_MAP | 1);
    mmdb_text(b, "country");
    buf_u8(b, MMDB_MAP | 1);
    mmdb_text(b, "iso_code");
    mmdb_text(b, "FI");
    buf_put(b, "\xab\xcd\xefMaxMind.com", 14);
    buf_u8(b, MMDB_MAP | 9);
    mmdb_number(b, "node_count", MMDB_UINT32, nodes);
    mmdb_number(b, "record_size", MMDB_UINT16, 24);
    mmdb_number(b, "ip_version", MMDB_UINT16, version);
    mmdb_text(b, "database_type");
    mmdb_text(b, "Test-Both");
    mmdb_text(b, "languages");
    buf_u8(b, 0);
    buf_u8(b, 11 - 7);
    mmdb_number(b, "binary_format_major_version", MMDB_UINT16, 2);
    mmdb_number(b, "binary_format_minor_version", MMDB_UINT16, 0);
    mmdb_number(b, "build_epoch", MMDB_UINT64, 1767225600);
    mmdb_text(b, "description");
    buf_u8(b, MMDB_MAP);
    assert_int_equal(b->err, OK);
}

static void make_mmdb(struct buf *b, uint32_t left, uint32_t right)
{
    buf_init(b, 1 << 16);
    mmdb_node(b, left, 1);
    mmdb_node(b, right, 2);
    mmdb_rest(b, 2, 4);
}

/* IPv4 under ::/96, an alias of it under ::ffff:0:0/96, and 2000::/3. */
static void make_mmdb6(struct buf *b)
{
    enum {
        V4 = 96,
        ALIAS = 98,
        NODES = ALIAS + 15,
        FIRST = NODES + 16,
        SECOND = FIRST + MMDB_SECOND
    };
    buf_init(b, 1 << 16);
    for (uint32_t depth = 0; depth < V4; depth++)
        mmdb_node(b, depth + 1, depth == 2 ? SECOND : depth == 80 ? ALIAS : NODES);
    mmdb_node(b, FIRST, V4 + 1);
    mmdb_node(b, SECOND, NODES);
    for (uint32_t node = ALIAS; node < NODES; node++)
        mmdb_node(b, NODES, node + 1 < NODES ? node + 1 : V4);
    mmdb_rest(b, NODES, 6);
}

static void mmdb6(void **state)
{
    (void)state;
    struct buf b;
    struct geo *g;
    struct fault f;
    make_mmdb6(&b);
    enum err e = open_data(&g, b.data, b.len, &f);
    if (e)
        fail_msg("%s", f.text);
    expect(g, "1.2.3.4", "se", 64500);
    expect(g, "129.0.0.1", "fi", 0);
    expect(g, "200.0.0.1", "", 0);
    expect(g, "2001:db8::1", "fi", 0);
    expect(g, "4000::1", "", 0);
    struct geo_origin o[4];
    assert_int_equal(geo_origins(g, o, 4), 3);
    assert_int_equal(o[0].rows, 2);
    assert_int_equal(o[1].rows, 1);
    geo_close(g);
    buf_done(&b);
}

static void mmdb(void **state)
{
    (void)state;
    struct buf b;
    struct geo *g;
    struct fault f;
    make_mmdb(&b, 2 + 16, 2 + 16 + 128);
    enum err e = open_data(&g, b.data, b.len, &f);
    if (e)
        fail_msg("%s", f.text);
    expect(g, "0.0.0.0", "se", 64500);
    expect(g, "127.255.255.255", "se", 64500);
    expect(g, "128.0.0.0", "fi", 0);
    expect(g, "191.255.255.255", "fi", 0);
    expect(g, "192.0.0.0", "", 0);
    assert_string_equal(geo_asn_name(g, 64500), "Example");
    struct geo_origin o[4];
    assert_int_equal(geo_origins(g, o, 4), 2);
    assert_string_equal(o[0].origin, "Test-Both");
    assert_int_equal(o[0].date, INT64_C(1767225600000000));
    geo_close(g);
    buf_done(&b);

    make_mmdb(&b, 0, 2 + 16);
    assert_int_equal(open_data(&g, b.data, b.len, &f), ERR_BAD);
    assert_non_null(strstr(f.text, "its search tree is broken"));
    buf_done(&b);
}

/* Files that are named come before the usual places, and fill what they have. */
static void precedence(void **state)
{
    (void)state;
    struct buf b;
    struct geo *g;
    struct fault f;
    char one[64], two[64];
    make_mmdb(&b, 2 + 16, 2 + 16 + 128);
    write_file(one, small_text, strlen(small_text));
    write_file(two, b.data, b.len);
    const char *files[] = {one, two};
    assert_int_equal(
        geo_open(&g, &(struct geo_options){.files = files, .file_count = 2}, &f), OK);
    expect(g, "1.0.0.1", "au", 64500);
    expect(g, "2.0.0.1", "", 64500);
    geo_close(g);
    unlink(one);
    unlink(two);
    buf_done(&b);
}

static bool readable(const char *path)
{
    return access(path, R_OK) == 0;
}

/* Rows picked by hand from the files that Debian's packages install; skipped without them. The
 * networks were checked with the `location` program of libloc. */
static void debian_packages(void **state)
{
    (void)state;
    static const char *const files[] = {"/usr/share/tor/geoip", "/usr/share/tor/geoip6",
        "/usr/share/libloc-location/location.db"};
    for (int i = 0; i < 3; i++) {
        if (!readable(files[i])) {
            print_message("# skipped: no %s\n", files[i]);
            skip();
        }
    }
    struct geo *g;
    struct fault f;
    enum err e = geo_open(&g, &(struct geo_options){.files = files, .file_count = 3}, &f);
    if (e)
        fail_msg("%s", f.text);
    expect(g, "8.8.8.8", "us", 15169);
    expect(g, "2001:200::1", "jp", 2500);
    expect(g, "1.0.16.1", "jp", 2519);
    expect(g, "10.0.0.1", "", 0);
    assert_string_equal(geo_asn_name(g, 15169), "GOOGLE");
    struct geo_origin o[4];
    assert_int_equal(geo_origins(g, o, 4), 4);
    for (int i = 0; i < 4; i++) {
        assert_true(o[i].rows > 100000);
        assert_true(o[i].date > 0);
        assert_string_equal(o[i].licence, "CC BY-SA 4.0");
    }
    geo_close(g);
}

static const struct CMUnitTest tests[] = {
    SAYS("text of tor-geoipdb gives countries, origin and date", text),
    SAYS("a bad database is refused with file and line", bad_text),
    SAYS(
        "addresses of IPv6 are read in every form that they have, and no other", address_forms),
    SAYS("addresses of IPv4 are whole numbers below 2^32 and nothing else", number_forms),
    SAYS("lines may come in any order, and ranges within ranges", any_order),
    SAYS("every address of dense networks and of the gaps between them is found",
        dense_networks),
    SAYS("a named file that is missing is an error, no database at all is not", missing),
    SAYS("who asks databases that a thread still reads waits for it, and hears what failed",
        behind),
    SAYS("location.db gives countries, networks and their names", location),
    SAYS("networks around IPv4 in location.db keep to their family", around_ip4),
    SAYS("a location.db that is cut or whose tree runs in circles is refused", broken_location),
    SAYS("an MMDB gives countries, networks and their names", mmdb),
    SAYS("an MMDB of both families gives IPv4 once, whatever leads to it", mmdb6),
    SAYS("the first file that knows a part gives it", precedence),
    SAYS("Debian's databases place well-known addresses", debian_packages),
};
TEST_MAIN(tests)
