#include "sensor/capture_writer.h"

#include <fcntl.h>
#include <string.h>
#include <test.h>
#include <unistd.h>

static char folder[] = "/tmp/kizashi-writer-XXXXXX";
static char path[64];

static const char *file_named(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(file_named("a.pcap"));
    unlink(file_named("b.pcap"));
    return rmdir(folder);
}

static size_t read_back(const char *name, uint8_t *to, size_t room)
{
    FILE *f = fopen(file_named(name), "rb");
    assert_non_null(f);
    size_t len = fread(to, 1, room, f);
    fclose(f);
    return len;
}

static void plain_bytes(void **state)
{
    (void)state;
    struct capture_writer *w;
    struct fault fault;
    assert_int_equal(capture_writer_open(&w, file_named("a.pcap"), 101, 4, &fault), OK);
    assert_int_equal(capture_writer_put(w, 1700000000123456, "abcdef", 6, 60), OK);
    assert_int_equal(capture_writer_put(w, 1700000001000000, "xy", 2, 0), OK);
    assert_int_equal(capture_writer_close(w, &fault), OK);
    static const uint8_t expected[] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 4, 0, 0, 0, 101, 0, 0, 0,                                             /* header */
        0x00, 0xf1, 0x53, 0x65, 0x40, 0xe2, 0x01, 0x00, 4, 0, 0, 0, 60, 0, 0, 0, /* first */
        'a', 'b', 'c', 'd', 0x01, 0xf1, 0x53, 0x65, 0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 'x',
        'y'};
    uint8_t got[256];
    size_t len = read_back("a.pcap", got, sizeof got);
    assert_int_equal(len, sizeof expected);
    assert_memory_equal(got, expected, sizeof expected);
}

static void range(void **state)
{
    (void)state;
    struct capture_writer *w;
    struct fault fault;
    assert_int_equal(
        capture_writer_open(&w, file_named("b.pcap"), 1, 262145, &fault), ERR_RANGE);
    assert_string_equal(fault.text, "snapshot length 262145: 1 to 262144 is allowed");
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(capture_writer_open(&w, file_named("b.pcap"), 1, 0, &fault), OK);
    assert_int_equal(capture_writer_put(w, -1, "a", 1, 1), ERR_RANGE);
    assert_int_equal(
        capture_writer_put(w, INT64_C(4294967296) * 1000000, "a", 1, 1), ERR_RANGE);
    assert_int_equal(capture_writer_close(w, &fault), OK);
    uint8_t got[256];
    assert_int_equal(read_back("b.pcap", got, sizeof got), 24);
}

static void no_folder(void **state)
{
    (void)state;
    struct capture_writer *w = NULL;
    struct fault fault;
    assert_int_equal(capture_writer_open(&w, "/nowhere/at/all.pcap", 1, 0, &fault), ERR_IO);
    assert_null(w);
    assert_string_equal(
        fault.text, "/nowhere/at/all.pcap: cannot be written: No such file or directory");
}

static void full_disk(void **state)
{
    (void)state;
    struct capture_writer *w;
    struct fault fault;
    assert_int_equal(capture_writer_open(&w, "/dev/full", 1, 0, &fault), OK);
    static const uint8_t packet[1000];
    enum err err = OK;
    for (int i = 0; i < 2000 && !err; i++)
        err = capture_writer_put(w, 0, packet, sizeof packet, sizeof packet);
    assert_int_equal(err, ERR_IO);
    assert_int_equal(capture_writer_put(w, 0, packet, 1, 1), ERR_IO);
    assert_int_equal(capture_writer_close(w, &fault), ERR_IO);
    assert_string_equal(fault.text, "/dev/full: cannot be written: No space left on device");
}

static const struct CMUnitTest tests[] = {
    SAYS("a plain file is pcap 2.4, little-endian, cut at the snapshot length", plain_bytes),
    SAYS("a snapshot length or time outside its range is refused and writes nothing", range),
    SAYS("a file that cannot be made is named", no_folder),
    SAYS("a full disk is told once, with the reason, and stays", full_disk),
};

int main(void)
{
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
