/* The site: its spool, its sender, and what it appends. */
#include "stage.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

/* Fewer messages under way than a file of the spool has entries. */
static void sender_start(struct stage *s)
{
    struct sender_options so = {
        .spool = s->spool, .bus = &s->link.site_bus, .clock = &s->clock, .messages_max = 8};
    assert_int_equal(sender_new(&s->sender, &so), OK);
    s->spoken = 0;
}

void stage_site_start(struct stage *s)
{
    struct fault f = {0};
    char path[96];
    snprintf(path, sizeof path, "%s/spool", s->folder);
    struct spool_options o = {
        .folder = path, .segment = 2048, .cap = 64 << 20, .careless = true, .clock = &s->clock};
    if (spool_open(&s->spool, &o, &f) != OK)
        fail_msg("%s", f.text);
    sender_start(s);
}

void stage_site_end(struct stage *s)
{
    sender_free(s->sender);
    spool_close(s->spool);
}

void stage_site_renew(struct stage *s)
{
    sender_free(s->sender);
    link_set(&s->link.site, false);
    sender_start(s);
    link_set(&s->link.site, true);
}

/* Half of an entry at the end of the newest file. */
static void spool_tear(struct stage *s)
{
    char path[512], best[300] = "";
    snprintf(path, sizeof path, "%s/spool", s->folder);
    DIR *d = opendir(path);
    for (struct dirent *e; (e = readdir(d));)
        if (strstr(e->d_name, ".spool") && strcmp(e->d_name, best) > 0)
            snprintf(best, sizeof best, "%s", e->d_name);
    closedir(d);
    snprintf(path, sizeof path, "%s/spool/%s", s->folder, best);
    int fd = open(path, O_WRONLY | O_APPEND);
    size_t len = 1 + rng_below(&s->link.rng, 200);
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = i < 4 ? (uint8_t) "KZR1"[i] : (uint8_t)rng_u32(&s->link.rng);
        assert_int_equal(write(fd, &byte, 1), 1);
    }
    close(fd);
}

void stage_site_kill(struct stage *s, bool tear)
{
    stage_site_end(s);
    link_set(&s->link.site, false);
    if (tear)
        spool_tear(s);
    stage_site_start(s);
    link_set(&s->link.site, true);
}

void stage_append(struct stage *s)
{
    struct block *b;
    struct buf out;
    uint16_t word, seq = 0;
    uint64_t number;
    struct sensor_look look = {.class = CLASS_SCAN};
    assert_int_equal(block_new(&b, &record_packet, 1), OK);
    assert_int_equal(block_word(b, PACKET_SITE, "jp-01", &word), OK);
    assert_int_equal(block_word(b, PACKET_CLASS, "scan", &word), OK);
    assert_int_equal(block_word(b, PACKET_TOOL, "", &word), OK);
    assert_int_equal(block_word(b, PACKET_COUNTRY, "", &word), OK);
    assert_int_equal(block_bytes_add(b, PACKET_PAYLOAD, "", 0), OK);
    for (size_t i = 0; i < PACKET_COLUMNS; i++)
        if (b->kind->columns[i].type == COLUMN_IP)
            memset(&block_ip(b, i)[0], 0, sizeof(struct ip));
        else if (b->kind->columns[i].type != COLUMN_BYTES)
            memset(b->column[i].rows, 0,
                b->kind->columns[i].type == COLUMN_U8    ? 1
                : b->kind->columns[i].type == COLUMN_U32 ? 4
                : b->kind->columns[i].type == COLUMN_U64 ||
                        b->kind->columns[i].type == COLUMN_TIME
                    ? 8
                    : 2);
    b->rows = 1;
    s->made[++s->appended] = s->link.now;
    block_time(b, PACKET_TS)[0] = s->link.now + (int64_t)s->appended;
    struct parcel p = {.packets = b, .looks = &look, .icmp_seq = &seq};
    buf_init(&out, 1 << 20);
    assert_int_equal(parcel_write(s->writer, &p, &out), OK);
    assert_int_equal(
        spool_append(s->spool, "packet", bytes_over(out.data, out.len), 1, &number, NULL), OK);
    buf_done(&out);
    block_free(b);
}

void stage_site_step(struct stage *s)
{
    struct fault f = {0};
    for (;;) {
        struct bus_event e;
        bus_next(&s->link.site_bus, 0, &e);
        if (e.kind == BUS_NOTHING)
            break;
        sender_event(s->sender, &e);
        bus_release(&s->link.site_bus, &e, true);
    }
    if (sender_pump(s->sender, &f) != OK)
        fail_msg("%s", f.text);
    int64_t apart = sender_waits(s->sender) ? US_SECOND / 4 : 5 * US_SECOND;
    if (s->link.now - s->spoken >= apart) {
        struct spool_counts spool;
        struct sender_counts c;
        char text[96];
        spool_counts(s->spool, &spool);
        sender_counts(s->sender, &c);
        int len = snprintf(text, sizeof text, "%" PRIx64 " %" PRIx64 " %" PRIx64, spool.id,
            c.sent, c.committed);
        bus_beat(&s->link.site_bus, bytes_over(text, (size_t)len));
        s->spoken = s->link.now;
    }
}
