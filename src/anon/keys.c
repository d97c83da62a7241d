#include "anon/keys.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file is lines of text, those of epochs all of one length:
 *
 *     kizashi-anonymisation-keys 1
 *     site 6c1f...                                      the site's secret
 *     epoch 2026-11-16T00:00:00Z 000000604800 93ab...   start, length in seconds, secret
 *
 * A key that is given up is overwritten with zeros where it stands, and its line taken by the
 * next epoch. So the file grows no further than what is kept, is written through one descriptor
 * and one call at a time, and needs no second file beside it, which a jail would refuse. */

enum {
    DIGITS = 2 * ANON_SECRET,
    START_AT = 6,
    START_LETTERS = 20,
    SECONDS_AT = START_AT + START_LETTERS + 1,
    SECONDS_DIGITS = 12,
    KEY_AT = SECONDS_AT + SECONDS_DIGITS + 1,
    EPOCH_LINE = KEY_AT + DIGITS + 1,
    FILE_BYTES_MAX = 256 + ANON_EPOCHS_MAX * EPOCH_LINE,
};

static const char first_line[] = "kizashi-anonymisation-keys 1";

struct epoch_key {
    int64_t start;  /* us */
    int64_t length; /* us; 0: for ever */
    uint8_t secret[ANON_SECRET];
    bool gone; /* overwritten */
};

struct anon_keys {
    char *path;
    int descriptor; /* -1: written nowhere */
    off_t begin;    /* of the first epoch's line */
    uint8_t site[ANON_SECRET];
    struct epoch_key *epoch;
    size_t count;
    _Atomic int64_t start, length; /* of the newest epoch in use; 0: none */
};

static bool hex_read(const char *digits, uint8_t ret_secret[ANON_SECRET])
{
    size_t len = 0;
    const char *end;
    return strlen(digits) == DIGITS &&
           sodium_hex2bin(ret_secret, ANON_SECRET, digits, DIGITS, NULL, &len, &end) == 0 &&
           len == ANON_SECRET;
}

static enum err bad_line(const struct anon_keys *k, unsigned line, struct fault *f)
{
    return fault_set(f, ERR_BAD,
        "%s: line %u is no \"epoch START SECONDS KEY\" of a file of anonymisation keys",
        k->path, line);
}

/* Seconds of twelve digits; false if they are something else. */
static bool seconds_read(const char *digits, int64_t *ret_us)
{
    int64_t seconds = 0;
    for (unsigned i = 0; i < SECONDS_DIGITS; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return false;
        seconds = seconds * 10 + (digits[i] - '0');
    }
    *ret_us = seconds * US_SECOND;
    return true;
}

/* "epoch START SECONDS KEY", each part in its place */
static enum err epoch_read(
    struct anon_keys *k, const char *text, unsigned line, struct fault *f)
{
    char start[START_LETTERS + 1] = "";
    struct epoch_key e = {0};
    if (strlen(text) != EPOCH_LINE - 1 || strncmp(text, "epoch ", START_AT) != 0)
        return bad_line(k, line, f);
    memcpy(start, text + START_AT, START_LETTERS);
    if (time_parse(start, &e.start) != OK || !seconds_read(text + SECONDS_AT, &e.length) ||
        text[SECONDS_AT - 1] != ' ' || text[KEY_AT - 1] != ' ' ||
        !hex_read(text + KEY_AT, e.secret))
        return bad_line(k, line, f);
    e.gone = sodium_is_zero(e.secret, ANON_SECRET);
    if (k->count == ANON_EPOCHS_MAX)
        return fault_set(f, ERR_FULL, "%s: more than %d keys; move it away to begin anew",
            k->path, ANON_EPOCHS_MAX);
    k->epoch[k->count++] = e;
    return OK;
}

static enum err line_read(struct anon_keys *k, const char *text, unsigned line, struct fault *f)
{
    if (line == 1)
        return strcmp(text, first_line) == 0
                   ? OK
                   : fault_set(f, ERR_BAD, "%s: is no file of anonymisation keys", k->path);
    if (line == 2)
        return strncmp(text, "site ", 5) == 0 && hex_read(text + 5, k->site)
                   ? OK
                   : fault_set(f, ERR_BAD, "%s: line 2 is not \"site KEY\"", k->path);
    return epoch_read(k, text, line, f);
}

static enum err file_parse(struct anon_keys *k, char *data, size_t len, struct fault *f)
{
    unsigned line = 0;
    size_t at = 0;
    while (at < len) {
        char *end = memchr(data + at, '\n', len - at);
        if (!end) /* torn by a crash: the key of this line was never used */
            break;
        *end = '\0';
        enum err e = line_read(k, data + at, ++line, f);
        if (e)
            return e;
        at = (size_t)(end - data) + 1;
        if (line == 2)
            k->begin = (off_t)at;
    }
    return line < 2 ? fault_set(f, ERR_SHORT, "%s: ends before the site's key", k->path) : OK;
}

static enum err refused(const struct anon_keys *k, const char *what, struct fault *f)
{
    return fault_set(f, ERR_IO, "%s: %s: %s", k->path, what, strerror(errno));
}

/* Write, and wait until it is on the disk. */
static enum err put(struct anon_keys *k, const char *text, off_t at, struct fault *f)
{
    size_t len = strlen(text);
    if (k->descriptor < 0)
        return OK;
    if (pwrite(k->descriptor, text, len, at) != (ssize_t)len || fdatasync(k->descriptor))
        return refused(k, "cannot be written", f);
    return OK;
}

static enum err put_epoch(struct anon_keys *k, size_t number, struct fault *f)
{
    const struct epoch_key *e = &k->epoch[number];
    char digits[DIGITS + 1], start[TIME_TEXT], text[EPOCH_LINE + 64];
    sodium_bin2hex(digits, sizeof digits, e->secret, ANON_SECRET);
    int len = snprintf(text, sizeof text, "epoch %s %012lld %s\n", time_format(e->start, start),
        (long long)(e->length / US_SECOND), digits);
    assert(len == EPOCH_LINE);
    enum err err = put(k, text, k->begin + (off_t)(number * EPOCH_LINE), f);
    sodium_memzero(text, sizeof text);
    sodium_memzero(digits, sizeof digits);
    return err;
}

static enum err file_begin(struct anon_keys *k, struct fault *f)
{
    char digits[DIGITS + 1], text[256];
    randombytes_buf(k->site, sizeof k->site);
    sodium_bin2hex(digits, sizeof digits, k->site, sizeof k->site);
    k->begin = snprintf(text, sizeof text, "%s\nsite %s\n", first_line, digits);
    return put(k, text, 0, f);
}

static enum err file_read(struct anon_keys *k, struct fault *f)
{
    struct stat st;
    if (fstat(k->descriptor, &st) != 0)
        return refused(k, "cannot be looked at", f);
    if (!S_ISREG(st.st_mode) || st.st_mode & 077)
        return fault_set(f, ERR_DENIED,
            "%s: others than its owner may read or write it: keys need a file of mode 0600 "
            "(chmod 600)",
            k->path);
    if (st.st_size == 0)
        return file_begin(k, f);
    if (st.st_size > FILE_BYTES_MAX)
        return fault_set(f, ERR_FULL, "%s: larger than %d bytes", k->path, FILE_BYTES_MAX);
    char *data = malloc((size_t)st.st_size);
    if (!data)
        return fault_set(f, ERR_NOMEM, "%s: out of memory", k->path);
    ssize_t len = pread(k->descriptor, data, (size_t)st.st_size, 0);
    enum err e =
        len < 0 ? refused(k, "cannot be read", f) : file_parse(k, data, (size_t)len, f);
    sodium_memzero(data, (size_t)st.st_size);
    free(data);
    return e;
}

static enum err keys_new(struct anon_keys **ret_keys, const char *path)
{
    struct anon_keys *k = calloc(1, sizeof *k);
    if (!k)
        return ERR_NOMEM;
    k->descriptor = -1;
    k->path = strdup(path);
    k->epoch = calloc(ANON_EPOCHS_MAX, sizeof *k->epoch);
    if (!k->path || !k->epoch || sodium_init() < 0) {
        anon_keys_close(k);
        return ERR_NOMEM;
    }
    *ret_keys = k;
    return OK;
}

static enum err file_open(struct anon_keys *k, struct fault *f)
{
    k->descriptor = open(k->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (k->descriptor < 0)
        return refused(k, "cannot be opened", f);
    if (flock(k->descriptor, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? fault_set(f, ERR_BUSY,
                                          "%s: in use by another process: each sensor needs a "
                                          "folder of its own (--data)",
                                          k->path)
                                    : refused(k, "cannot be locked", f);
    return file_read(k, f);
}

enum err anon_keys_open(struct anon_keys **ret_keys, const char *path, struct fault *f)
{
    struct anon_keys *k;
    enum err e = keys_new(&k, path);
    if (e)
        return fault_set(f, e, "%s: out of memory", path);
    e = file_open(k, f);
    if (e) {
        anon_keys_close(k);
        return e;
    }
    *ret_keys = k;
    return OK;
}

enum err anon_keys_from(struct anon_keys **ret_keys, const uint8_t secret[ANON_SECRET])
{
    struct anon_keys *k;
    enum err e = keys_new(&k, "");
    if (e)
        return e;
    memcpy(k->site, secret, ANON_SECRET);
    *ret_keys = k;
    return OK;
}

void anon_keys_close(struct anon_keys *k)
{
    if (!k)
        return;
    if (k->descriptor >= 0)
        close(k->descriptor);
    if (k->epoch)
        sodium_memzero(k->epoch, ANON_EPOCHS_MAX * sizeof *k->epoch);
    sodium_memzero(k->site, sizeof k->site);
    free(k->epoch);
    free(k->path);
    free(k);
}

/* Overwrite the oldest epochs of a length until `most` are left. */
static enum err give_up_old(struct anon_keys *k, int64_t length, size_t most, struct fault *f)
{
    for (;;) {
        size_t left = 0, oldest = 0;
        for (size_t i = 0; i < k->count; i++) {
            const struct epoch_key *e = &k->epoch[i];
            if (e->gone || e->length != length)
                continue;
            if (!left++ || e->start < k->epoch[oldest].start)
                oldest = i;
        }
        if (left <= most)
            return OK;
        sodium_memzero(k->epoch[oldest].secret, ANON_SECRET);
        k->epoch[oldest].gone = true;
        enum err err = put_epoch(k, oldest, f);
        if (err)
            return err;
    }
}

/* A key for an epoch that has none: into a line that is free, or a new one. */
static enum err epoch_add(
    struct anon_keys *k, const struct epoch_key *want, size_t *ret_number, struct fault *f)
{
    size_t number = 0;
    while (number < k->count && !k->epoch[number].gone)
        number++;
    if (number == ANON_EPOCHS_MAX)
        return fault_set(
            f, ERR_FULL, "%s: more than %d epochs in use", k->path, ANON_EPOCHS_MAX);
    struct epoch_key *e = &k->epoch[number];
    *e = *want;
    int64_t which[2] = {e->start, e->length};
    if (k->descriptor < 0)
        crypto_generichash(
            e->secret, ANON_SECRET, (const uint8_t *)which, sizeof which, k->site, ANON_SECRET);
    else
        randombytes_buf(e->secret, ANON_SECRET);
    k->count += number == k->count;
    *ret_number = number;
    return put_epoch(k, number, f);
}

enum err anon_keys_epoch(struct anon_keys *k, int64_t epoch, uint32_t old_epochs, int64_t start,
    uint8_t ret_secret[ANON_SECRET], struct fault *f)
{
    struct epoch_key want = {.start = epoch ? time_floor(start, epoch) : 0, .length = epoch};
    size_t number = 0;
    while (
        number < k->count && (k->epoch[number].gone || k->epoch[number].start != want.start ||
                                 k->epoch[number].length != want.length))
        number++;
    enum err err = OK;
    bool fresh = number == k->count;
    if (fresh)
        err = epoch_add(k, &want, &number, f);
    if (err)
        return err;
    memcpy(ret_secret, k->epoch[number].secret, ANON_SECRET);
    /* What comes late has keys of an epoch before; another length begins anew. */
    if (atomic_load(&k->length) != epoch || want.start > atomic_load(&k->start)) {
        atomic_store(&k->length, epoch);
        atomic_store(&k->start, want.start);
    }
    return fresh && epoch ? give_up_old(k, epoch, (size_t)old_epochs + 1, f) : OK;
}

void anon_keys_current(const struct anon_keys *k, int64_t *ret_start, int64_t *ret_end)
{
    int64_t start = atomic_load(&k->start), length = atomic_load(&k->length);
    *ret_start = length ? start : 0;
    *ret_end = length ? start + length : 0;
}

void anon_keys_site(const struct anon_keys *k, uint8_t ret_secret[ANON_SECRET])
{
    memcpy(ret_secret, k->site, ANON_SECRET);
}
