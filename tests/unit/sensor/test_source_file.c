#include "base/rng.h"
#include "captures.h"
#include "sensor/capture_writer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

static char folder[] = "/tmp/kizashi-source-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static const char *file_named(const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", folder, name);
    return path;
}

static void write_bytes(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static struct capture three_frames(void)
{
    struct capture c = capture_new(false);
    put_pcap_header(&c, 0xa1b2c3d4, 1);
    put_record(&c, 1700000000, 1, "first", 5);
    put_record(&c, 1700000000, 999999, "the second", 1500);
    put_record(&c, 1700000001, 0, "", 0);
    return c;
}

static void every_magic(void **state)
{
    (void)state;
    static const struct {
        uint32_t magic, per_us;
        bool modified;
    } forms[] = {{0xa1b2c3d4, 1, false}, {0xa1b23c4d, 1000, false}, {0xa1b2cd34, 1, true}};
    for (size_t i = 0; i < 6; i++) {
        struct capture c = capture_new(i % 2);
        put_pcap_header(&c, forms[i / 2].magic, 113);
        for (uint32_t k = 0; k < 2; k++) {
            put32(&c, UINT32_C(4000000000));
            put32(&c, (123456 + k) * forms[i / 2].per_us + forms[i / 2].per_us - 1);
            put32(&c, 3);
            put32(&c, 60);
            if (forms[i / 2].modified)
                put64(&c, UINT64_C(0x0123456789abcdef));
            buf_put(&c.bytes, k ? "def" : "abc", 3);
        }
        struct reading r = read_capture(&c);
        assert_int_equal(r.err, ERR_NOTFOUND);
        assert_int_equal(r.count, 2);
        assert_frame(&r.frames[0], INT64_C(4000000000123456), 113, "abc", 60);
        assert_frame(&r.frames[1], INT64_C(4000000000123457), 113, "def", 60);
        reading_done(&r);
        buf_done(&c.bytes);
    }
}

static void contradictory_length(void **state)
{
    (void)state;
    struct capture c = capture_new(false);
    put_pcap_header(&c, 0xa1b2c3d4, 1u | 0x14000000); /* with the bits of a checksum */
    put_record(&c, 1, 2, "longer than it was", 3);
    struct reading r = read_capture(&c);
    assert_int_equal(r.count, 1);
    assert_frame(&r.frames[0], 1000002, 1, "longer than it was", 18);
    reading_done(&r);
    buf_done(&c.bytes);
}

/* Where each prefix of three_frames() must stop: frames before it, start of the record. */
static void cut_everywhere(void **state)
{
    (void)state;
    struct capture c = three_frames();
    static const size_t ends[] = {24, 24 + 21, 24 + 21 + 26, 24 + 21 + 26 + 16};
    assert_int_equal(c.bytes.len, ends[3]);
    for (size_t len = 24; len <= c.bytes.len; len++) {
        size_t whole = 0;
        while (whole < 3 && ends[whole + 1] <= len)
            whole++;
        struct reading r = read_memory(c.bytes.data, len, EVERYTHING);
        assert_int_equal(r.count, whole);
        assert_int_equal(r.err, len == ends[whole] ? ERR_NOTFOUND : ERR_SHORT);
        if (r.err == ERR_SHORT) {
            char expected[200];
            size_t have = len - ends[whole];
            size_t body = ends[whole + 1] - ends[whole];
            snprintf(expected, sizeof expected,
                "memory: offset %zu: the file ends inside a record%s: %zu bytes are needed, "
                "%zu "
                "are there",
                ends[whole], have < 16 ? " header" : "", have < 16 ? 16 : body, have);
            assert_string_equal(r.fault.text, expected);
        }
        reading_done(&r);
    }
    for (size_t len = 0; len < 24; len++) {
        struct reading r = read_memory(c.bytes.data, len, EVERYTHING);
        assert_int_equal(r.err, len >= 4 || len == 0 ? ERR_SHORT : ERR_BAD);
    }
    buf_done(&c.bytes);
}

static void broken_middle(void **state)
{
    (void)state;
    struct capture c = three_frames();
    memset(c.bytes.data + 24 + 21 + 8, 0xff, 4);
    struct reading r = read_capture(&c);
    assert_int_equal(r.count, 1);
    assert_int_equal(r.err, ERR_BAD);
    assert_string_equal(r.fault.text,
        "memory: offset 45: a record of 4294967295 bytes is announced; 262144 is the most, so "
        "this is no record");
    reading_done(&r);
    buf_done(&c.bytes);
}

/* 30,000 frames of 0 to 1,999 bytes: many times the reader's buffer. */
static void write_many(const char *path)
{
    struct capture_writer *w;
    struct fault fault;
    assert_int_equal(capture_writer_open(&w, path, 1, 0, &fault), OK);
    struct rng rng;
    rng_seed(&rng, 7);
    uint8_t data[2000];
    for (uint32_t i = 0; i < 30000; i++) {
        uint32_t len = (uint32_t)rng_below(&rng, sizeof data);
        memset(data, (int)(i % 251), len);
        assert_int_equal(
            capture_writer_put(w, INT64_C(1700000000000000) + i, data, len, len + 1), OK);
    }
    assert_int_equal(capture_writer_close(w, &fault), OK);
}

static void assert_many(const struct reading *r)
{
    if (r->err != ERR_NOTFOUND)
        fprintf(stderr, "# %s\n", r->fault.text);
    assert_int_equal(r->err, ERR_NOTFOUND);
    assert_int_equal(r->count, 30000);
    struct rng rng;
    rng_seed(&rng, 7);
    uint64_t bytes = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct frame *f = &r->frames[i];
        assert_int_equal(f->len, rng_below(&rng, 2000));
        assert_int_equal(f->wire_len, f->len + 1);
        assert_int_equal(f->ts, INT64_C(1700000000000000) + (int64_t)i);
        for (uint32_t k = 0; k < f->len; k += 97)
            assert_int_equal(f->data[k], i % 251);
        bytes += f->len;
    }
    assert_int_equal(r->counts.bytes, bytes);
}

static void packed_equals_plain(void **state)
{
    (void)state;
    static const char *const names[] = {"many.pcap", "many.pcap.gz", "many.pcap.zst"};
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        write_many(file_named(names[i], path));
        struct stat info;
        assert_int_equal(stat(path, &info), 0);
        struct reading r = read_file(path);
        assert_many(&r);
        assert_int_equal(r.counts.size, info.st_size);
        assert_int_equal(r.counts.offset, info.st_size);
        assert_true(i == 0 || info.st_size < 10000000);
        reading_done(&r);
    }
}

/* All of a file, by an ordinary read. */
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

static void fifo_equals_file(void **state)
{
    (void)state;
    static const char *const names[] = {"many.pcap", "many.pcap.zst"};
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        char fifo[128];
        size_t len;
        uint8_t *data = load(file_named(names[i], path), &len);
        assert_int_equal(mkfifo(file_named("fifo", fifo), 0600), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            int to = open(fifo, O_WRONLY);
            size_t done = 0;
            /* Pieces that fit no boundary. */
            while (done < len) {
                size_t piece = len - done < 7919 ? len - done : 7919;
                ssize_t put = write(to, data + done, piece);
                if (put <= 0)
                    _exit(1);
                done += (size_t)put;
            }
            _exit(0);
        }
        struct reading r = read_file(fifo);
        assert_many(&r);
        assert_int_equal(r.counts.size, 0);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        reading_done(&r);
        free(data);
        unlink(fifo);
    }
}

static void on_alarm(int number)
{
    (void)number;
}

static void signal_interrupts(void **state)
{
    (void)state;
    char fifo[128];
    assert_int_equal(mkfifo(file_named("quiet", fifo), 0600), 0);
    int writer = open(fifo, O_RDWR); /* so that neither end waits for the other */
    assert_true(writer >= 0);
    struct capture c = three_frames();
    assert_int_equal(write(writer, c.bytes.data, 50), 50);
    struct sigaction action = {.sa_handler = on_alarm};
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    struct source *s;
    struct fault fault;
    assert_int_equal(source_open_file(&s, fifo, &fault), OK);
    struct frame frames[8];
    size_t count;
    assert_int_equal(source_next(s, frames, 8, -1, &count, &fault), OK);
    assert_int_equal(count, 1);
    /* The second frame is not whole; nothing more comes but a signal. */
    ualarm(20000, 20000);
    assert_int_equal(source_next(s, frames, 8, -1, &count, &fault), OK);
    ualarm(0, 0);
    assert_int_equal(count, 0);
    assert_int_equal(
        write(writer, c.bytes.data + 50, c.bytes.len - 50), (ssize_t)c.bytes.len - 50);
    assert_int_equal(source_next(s, frames, 8, -1, &count, &fault), OK);
    assert_int_equal(count, 2);
    assert_frame(&frames[0], INT64_C(1700000000999999), 1, "the second", 1500);
    source_close(s);
    close(writer);
    buf_done(&c.bytes);
}

static void standard_input(void **state)
{
    (void)state;
    char path[128];
    int saved = dup(STDIN_FILENO);
    int file = open(file_named("many.pcap.gz", path), O_RDONLY);
    assert_true(file >= 0);
    dup2(file, STDIN_FILENO);
    struct reading r = read_file("-");
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(file);
    assert_many(&r);
    reading_done(&r);
}

static void any_chunk(void **state)
{
    (void)state;
    char path[128];
    size_t len;
    uint8_t *data = load(file_named("many.pcap.zst", path), &len);
    struct reading r = read_memory(data, len, 4093);
    assert_many(&r);
    reading_done(&r);
    free(data);
    struct capture c = three_frames();
    for (size_t chunk = 1; chunk < 30; chunk++) {
        r = read_memory(c.bytes.data, c.bytes.len, chunk);
        assert_int_equal(r.count, 3);
        assert_frame(&r.frames[1], INT64_C(1700000000999999), 1, "the second", 1500);
        reading_done(&r);
    }
    buf_done(&c.bytes);
}

static size_t pack_gzip(const void *data, size_t len, uint8_t *to, size_t room)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (uint8_t *)(uintptr_t)data;
    z.avail_in = (uInt)len;
    z.next_out = to;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return room - z.avail_out;
}

static size_t pack_zstd(const void *data, size_t len, uint8_t *to, size_t room)
{
    size_t used = ZSTD_compress(to, room, data, len, 1);
    assert_false(ZSTD_isError(used));
    return used;
}

typedef size_t pack(const void *data, size_t len, uint8_t *to, size_t room);
static pack *const packs[] = {pack_gzip, pack_zstd};
static const char *const pack_names[] = {"gzip", "zstd"};

/* A capture packed as several members or frames, split inside a record. */
static void several_members(void **state)
{
    (void)state;
    struct capture c = three_frames();
    struct reading plain = read_capture(&c);
    for (size_t i = 0; i < 2; i++) {
        uint8_t packed[1000];
        size_t used = packs[i](c.bytes.data, 30, packed, sizeof packed);
        used += packs[i]("", 0, packed + used, sizeof packed - used);
        used +=
            packs[i](c.bytes.data + 30, c.bytes.len - 30, packed + used, sizeof packed - used);
        for (size_t chunk = 1; chunk < 200; chunk += 7) {
            struct reading r = read_memory(packed, used, chunk);
            assert_same_frames(&r, &plain);
            reading_done(&r);
        }
    }
    reading_done(&plain);
    buf_done(&c.bytes);
}

static void packed_and_cut(void **state)
{
    (void)state;
    struct capture c = three_frames();
    for (size_t i = 0; i < 2; i++) {
        uint8_t packed[1000];
        size_t used = packs[i](c.bytes.data, c.bytes.len, packed, sizeof packed);
        struct reading r = read_memory(packed, used - 1, EVERYTHING);
        assert_int_equal(r.err, ERR_SHORT);
        char expected[200];
        snprintf(expected, sizeof expected,
            "memory: %s data, offset %zu of the file: the file ends inside the compressed "
            "stream",
            pack_names[i], used - 1);
        assert_string_equal(r.fault.text, expected);
        /* zlib has given all before the checksum is missed. */
        assert_true(i == 1 || r.count == 3);
        reading_done(&r);
        /* Something behind the end that is not packed. */
        memcpy(packed + used, "trailing", 8);
        r = read_memory(packed, used + 8, EVERYTHING);
        assert_int_equal(r.err, ERR_BAD);
        assert_int_equal(r.count, 3);
        assert_non_null(strstr(r.fault.text, pack_names[i]));
        reading_done(&r);
        /* The capture itself is cut; its packing is not. */
        used = packs[i](c.bytes.data, c.bytes.len - 1, packed, sizeof packed);
        r = read_memory(packed, used, EVERYTHING);
        assert_int_equal(r.err, ERR_SHORT);
        assert_int_equal(r.count, 2);
        snprintf(expected, sizeof expected,
            "memory: offset 71 after %s is unpacked: the file ends inside a record header: 16 "
            "bytes are needed, 15 are there",
            pack_names[i]);
        assert_string_equal(r.fault.text, expected);
        reading_done(&r);
    }
    buf_done(&c.bytes);
}

static void largest_record(void **state)
{
    (void)state;
    struct capture c = capture_new(false);
    put_pcap_header(&c, 0xa1b2c3d4, 1);
    for (uint32_t len = FRAME_MAX; len <= FRAME_MAX + 1; len++) {
        put64(&c, 0);
        put32(&c, len);
        put32(&c, len);
        uint8_t *to = buf_reserve(&c.bytes, len);
        assert_non_null(to);
        memset(to, 'x', len);
        c.bytes.len += len;
    }
    for (size_t chunk = 5000; chunk < 600000; chunk *= 3) {
        struct reading r = read_memory(c.bytes.data, c.bytes.len, chunk);
        assert_int_equal(r.count, 1);
        assert_int_equal(r.frames[0].len, FRAME_MAX);
        assert_int_equal(r.err, ERR_BAD);
        assert_non_null(strstr(r.fault.text, "offset 262184: a record of 262145 bytes"));
        reading_done(&r);
    }
    buf_done(&c.bytes);
}

static void one_frame_a_call(void **state)
{
    (void)state;
    struct capture c = three_frames();
    struct source *s;
    struct fault fault;
    assert_int_equal(source_open_memory(&s, c.bytes.data, c.bytes.len, EVERYTHING, &fault), OK);
    struct reading r = read_source(s, 1);
    assert_int_equal(r.count, 3);
    assert_int_equal(r.counts.size, c.bytes.len);
    reading_done(&r);
    buf_done(&c.bytes);
    source_close(NULL);
}

static void assert_refused(const char *path, enum err err, const char *sentence)
{
    struct source *s = NULL;
    struct fault fault;
    assert_int_equal(source_open_file(&s, path, &fault), err);
    assert_null(s);
    assert_int_equal(strncmp(fault.text, path, strlen(path)), 0);
    assert_string_equal(fault.text + strlen(path), sentence);
    assert_int_equal(source_open_file(&s, path, NULL), err);
}

static void sentences(void **state)
{
    (void)state;
    char path[128];
    assert_refused(file_named("missing", path), ERR_NOTFOUND, ": no such file");
    assert_refused(folder, ERR_BAD, ": is a folder; a capture file is expected");
    write_bytes(file_named("empty", path), "", 0);
    assert_refused(path, ERR_SHORT, ": empty; a pcap or pcapng file is expected");
    write_bytes(file_named("text", path), "hello, world\n", 13);
    assert_refused(path, ERR_BAD,
        ": not a capture file: it begins with 68 65 6c 6c; pcap and pcapng are read, plain or "
        "packed by gzip or zstd");
    write_bytes(path, "h", 1);
    assert_refused(path, ERR_BAD,
        ": not a capture file: it begins with 68; pcap and pcapng are read, plain or packed by "
        "gzip or zstd");
    write_bytes(path,
        "\xfd"
        "7zXZ\0\0",
        7);
    assert_refused(path, ERR_BAD,
        ": not a capture file: an xz file; unpack it first (xz -dc FILE | ... -)");
    uint8_t once[100];
    uint8_t twice[200];
    size_t len = pack_gzip("hello", 5, once, sizeof once);
    len = pack_zstd(once, len, twice, sizeof twice);
    write_bytes(path, twice, len);
    assert_refused(path, ERR_BAD, ": not a capture file: compressed twice; unpack it once");
    write_bytes(path, once, 12);
    assert_refused(path, ERR_SHORT,
        ": gzip data, offset 12 of the file: the file ends inside the compressed stream");
}

static void refused_headers(void **state)
{
    (void)state;
    struct capture c = capture_new(true);
    put_pcap_header(&c, 0xa1b2c3d4, 105);
    struct reading r = read_capture(&c);
    assert_int_equal(r.err, ERR_BAD);
    assert_string_equal(r.fault.text,
        "memory: offset 20: link type 105 is not read; Ethernet (1), raw IP (12, 14, 101, 228, "
        "229), Linux cooked (113, 276) and null or loop (0, 108) are");
    c.bytes.data[7] = 2;
    r = read_capture(&c);
    assert_int_equal(r.err, ERR_BAD);
    assert_string_equal(
        r.fault.text, "memory: offset 4: pcap version 2.2; 2.4 and 2.3 are read");
    r = read_memory(c.bytes.data, 23, 5);
    assert_int_equal(r.err, ERR_SHORT);
    assert_string_equal(r.fault.text,
        "memory: offset 0: the file ends inside the file header: 24 bytes are needed, 23 are "
        "there");
    buf_done(&c.bytes);
}

static const struct CMUnitTest tests[] = {
    SAYS("pcap is read in micro- and nanoseconds and modified, in both byte orders",
        every_magic),
    SAYS("a frame was at least as long on the wire as it is in the file", contradictory_length),
    SAYS("a file cut anywhere gives the frames before the cut and names the record",
        cut_everywhere),
    SAYS("a record that cannot be one ends the file with its offset", broken_middle),
    SAYS("gzip and zstd give the same frames as the plain file", packed_equals_plain),
    SAYS("a FIFO gives the same frames as the file", fifo_equals_file),
    SAYS("a signal gives the word back to a caller that waits for a pipe", signal_interrupts),
    SAYS("\"-\" is standard input", standard_input),
    SAYS("the size of reads makes no difference", any_chunk),
    SAYS("several gzip members or zstd frames are one capture", several_members),
    SAYS("a cut or continued packing is told with its own offset, after the frames",
        packed_and_cut),
    SAYS("the longest record is read, a longer one is refused", largest_record),
    SAYS("a caller may take one frame at a time", one_frame_a_call),
    SAYS("what is no capture file is told in one sentence", sentences),
    SAYS("a pcap header of another version or link type is refused", refused_headers),
};

int main(void)
{
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
