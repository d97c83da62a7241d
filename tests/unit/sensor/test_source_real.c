/* Real captures, where KIZASHI_TEST_DATA has them. */
#include "base/rng.h"
#include "captures.h"
#include "decode/packet.h"

#include <dirent.h>

static uint8_t *load(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *ret_len = (size_t)ftell(f);
    rewind(f);
    uint8_t *data = malloc(*ret_len + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *ret_len, f), *ret_len);
    fclose(f);
    return data;
}

/* The n-th field of a line of an index, tab-separated, into `to`. */
static const char *field(const char *line, int n, char to[256])
{
    while (n-- && line)
        line = (line = strchr(line, '\t')) ? line + 1 : NULL;
    assert_non_null(line);
    snprintf(to, 256, "%.*s", (int)strcspn(line, "\t\n"), line);
    return to;
}

static void index_counts(void **state)
{
    (void)state;
    char path[512];
    FILE *index = fopen(test_data("pcaps/INDEX.tsv", path), "r");
    assert_non_null(index);
    char line[4096];
    char name[256];
    char word[256];
    int files = 0;
    while (fgets(line, sizeof line, index)) {
        /* Both tools read it: no ERF. */
        if (strcmp(field(line, 8, word), "yes") != 0 ||
            strcmp(field(line, 9, word), "yes") != 0)
            continue;
        char below[300];
        snprintf(below, sizeof below, "pcaps/%s", field(line, 0, name));
        struct reading r = read_file(test_data(below, path));
        if (r.err != ERR_NOTFOUND || r.count != strtoul(field(line, 6, word), NULL, 10))
            fprintf(stderr, "# %s: %zu frames: %s\n", name, r.count, r.fault.text);
        assert_int_equal(r.err, ERR_NOTFOUND);
        assert_int_equal(r.count, strtoul(field(line, 6, word), NULL, 10));
        reading_done(&r);
        files++;
    }
    fclose(index);
    assert_true(files > 50);
}

static struct packet decode_ok(const struct frame *f)
{
    struct packet p;
    assert_int_equal(
        decode_packet(f->link, bytes_over(f->data, f->len), f->wire_len, &p), DECODE_OK);
    p.ts = f->ts;
    return p;
}

static void same_in_every_format(void **state)
{
    (void)state;
    char path[512];
    struct reading plain = read_file(test_data("pcaps/robust/libtrace-100.pcap", path));
    struct reading ng = read_file(test_data("pcaps/robust/libtrace-100.pcapng", path));
    struct reading cooked = read_file(test_data("pcaps/robust/libtrace-100-sll.pcap", path));
    assert_int_equal(plain.count, 100);
    assert_int_equal(ng.count, 100);
    assert_int_equal(cooked.count, 100);
    for (size_t i = 0; i < 100; i++) {
        struct packet a = decode_ok(&plain.frames[i]);
        struct packet b = decode_ok(&ng.frames[i]);
        struct packet c = decode_ok(&cooked.frames[i]);
        size_t payload = a.payload.left;
        assert_int_equal(b.payload.left, payload);
        assert_int_equal(c.payload.left, payload);
        assert_memory_equal(a.payload.at, b.payload.at, payload);
        assert_memory_equal(a.payload.at, c.payload.at, payload);
        a.payload.at = b.payload.at = c.payload.at = NULL;
        assert_memory_equal(&a, &b, sizeof a);
        assert_memory_equal(&a, &c, sizeof a);
    }
    reading_done(&plain);
    reading_done(&ng);
    reading_done(&cooked);
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

/* A little-endian pcap of microseconds again, in another order or resolution. */
static struct capture rewrite(const uint8_t *data, size_t len, bool big, bool nanoseconds)
{
    struct capture c = capture_new(big);
    put_pcap_header(&c, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, get32(data + 20));
    for (size_t at = 24; at + 16 <= len; at += 16 + get32(data + at + 8)) {
        put32(&c, get32(data + at));
        put32(&c, get32(data + at + 4) * (nanoseconds ? 1000 : 1));
        put32(&c, get32(data + at + 8));
        put32(&c, get32(data + at + 12));
        buf_put(&c.bytes, data + at + 16, get32(data + at + 8));
    }
    return c;
}

static void rewritten(void **state)
{
    (void)state;
    char path[512];
    size_t len;
    uint8_t *data = load(test_data("pcaps/scan/ndpi-srvloc427-real-scans.pcap", path), &len);
    struct reading before = read_memory(data, len, EVERYTHING);
    assert_int_equal(before.count, 629);
    for (int form = 0; form < 4; form++) {
        struct capture c = rewrite(data, len, form & 1, form & 2);
        struct reading r = read_capture(&c);
        assert_same_frames(&r, &before);
        reading_done(&r);
        buf_done(&c.bytes);
    }
    reading_done(&before);
    free(data);
}

/* A frame is counted as one result, or its packet points into it. */
static void decode_all(const struct reading *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct frame *f = &r->frames[i];
        struct packet p;
        if (decode_packet(f->link, bytes_over(f->data, f->len), f->wire_len, &p) != DECODE_OK)
            continue;
        assert_true(p.payload.at >= f->data);
        assert_true(p.payload.at + p.payload.left <= f->data + f->len);
    }
}

/* The file with some bytes changed must give frames and an end, whatever they are. */
static void damage(const uint8_t *data, size_t len, struct rng *rng)
{
    uint8_t *copy = malloc(len);
    assert_non_null(copy);
    memcpy(copy, data, len);
    for (uint64_t changes = 1 + rng_below(rng, 20); changes; changes--)
        copy[rng_below(rng, len)] = (uint8_t)rng_u32(rng);
    struct reading r = read_memory(copy, len, EVERYTHING);
    assert_int_not_equal(r.err, OK);
    decode_all(&r);
    reading_done(&r);
    free(copy);
}

static void robust_files(void **state)
{
    (void)state;
    char path[512];
    test_data("pcaps/robust/arkime-empty.pcap", path);
    *strrchr(path, '/') = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    struct rng rng;
    rng_seed(&rng, 3);
    const struct dirent *entry;
    int files = 0;
    while ((entry = readdir(folder))) {
        char name[1024];
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.')
            continue;
        size_t len;
        uint8_t *data = load(name, &len);
        struct reading r = read_memory(data, len, EVERYTHING);
        decode_all(&r);
        reading_done(&r);
        for (int i = 0; i < (len < 10000 ? 200 : 5); i++)
            damage(data, len, &rng);
        for (size_t cut = 0; cut < 400 && cut < len; cut++) {
            r = read_memory(data, cut, EVERYTHING);
            assert_true(r.err == ERR_NOTFOUND || r.err == ERR_SHORT || r.err == ERR_BAD);
            reading_done(&r);
        }
        free(data);
        files++;
    }
    closedir(folder);
    assert_true(files > 10);
}

/* What an expert sees in these files with other tools. */
static void known_packets(void **state)
{
    (void)state;
    char path[512];
    struct reading r = read_file(test_data("pcaps/scan/sv-mirai-syn23.pcap", path));
    for (size_t i = 0; i < r.count; i++) {
        struct packet p = decode_ok(&r.frames[i]);
        assert_int_equal(p.dport, 23);
        assert_int_equal(p.tcp_flags, TCP_SYN);
        assert_int_equal(p.tcp_seq, ip_v4(&p.dst));
    }
    reading_done(&r);
    r = read_file(test_data("pcaps/tool-generated/nmap-ss.pcap", path));
    for (size_t i = 0; i < r.count; i++) {
        struct packet p = decode_ok(&r.frames[i]);
        assert_true(p.tcp_flags != TCP_SYN ||
                    (p.tcp_win == 1024 && p.tcp_mss == 1460 && p.tcp_opts == 0x2));
    }
    reading_done(&r);
    r = read_file(test_data("pcaps/robust/tcpdump-bigtcp.pcap", path));
    struct packet big = decode_ok(&r.frames[0]);
    assert_int_equal(big.ip_len, 65535);
    assert_int_equal(big.payload.left, r.frames[0].len - 14 - 20 - big.tcp_offset * 4u);
    reading_done(&r);
}

static const struct CMUnitTest tests[] = {
    SAYS("every real capture gives as many frames as other tools count", index_counts),
    SAYS("the same 100 packets come out of pcap, pcapng and cooked captures",
        same_in_every_format),
    SAYS("byte order and nanoseconds change nothing", rewritten),
    SAYS("damaged captures give frames and an end", robust_files),
    SAYS("headers of known scanners read as they are known", known_packets),
};
TEST_MAIN(tests)
