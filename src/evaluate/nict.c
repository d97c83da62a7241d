#include "evaluate/nict.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/index.h"
#include "record/proto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLUMNS = 5,
    CONTACTS = 1 << 20, /* of one site in a window */
    BLOCK = 1 << 16
};

static const char *const column_text[COLUMNS] = {"a time: seconds since 1970 or RFC 3339",
    "the hash of a /16: 1 to 128 of 0-9, A-Z, a-z, '+', '/', '=', '.', ':', '_' and '-'",
    "the hash of an address: 1 to 128 of 0-9, A-Z, a-z, '+', '/', '=', '.', ':', '_' and '-'",
    "the low 16 bits of an address: 0 to 65535, or two numbers from 0 to 255 with a dot",
    "a port: 0 to 65535"};

/* --- a line --------------------------------------------------------------------------------
 */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Digits only, none too many, at most `most`. */
static bool number_parse(struct bytes *in, uint64_t most, uint64_t *ret)
{
    uint64_t value = 0;
    size_t digits = 0;
    while (in->left && is_digit(*in->at)) {
        value = value * 10 + (bytes_u8(in) - (uint64_t)'0');
        if (++digits > 12 || value > most)
            return false;
    }
    *ret = value;
    return digits > 0;
}

/* "1538319600.123456": up to nine digits after the point, cut to microseconds. */
static bool seconds_parse(struct bytes in, int64_t *ret)
{
    const uint64_t far = UINT64_C(1) << 36; /* the year 4147 */
    uint64_t seconds, us = 0;
    if (!number_parse(&in, far, &seconds))
        return false;
    if (in.left) {
        size_t digits = 0;
        if (bytes_u8(&in) != '.' || !in.left)
            return false;
        for (; in.left && is_digit(*in.at); digits++) {
            uint8_t c = bytes_u8(&in);
            us = digits < 6 ? us * 10 + (uint64_t)(c - '0') : us;
        }
        if (in.left || digits > 9)
            return false;
        for (; digits < 6; digits++)
            us *= 10;
    }
    *ret = (int64_t)(seconds * US_SECOND + us);
    return true;
}

static bool instant_parse(struct bytes in, int64_t *ret)
{
    char text[TIME_TEXT];
    if (seconds_parse(in, ret))
        return true;
    if (in.left == 0 || in.left >= sizeof text || memchr(in.at, 0, in.left))
        return false;
    memcpy(text, in.at, in.left);
    text[in.left] = 0;
    return time_parse(text, ret) == OK && *ret >= 0 && *ret < (INT64_C(1) << 36) * US_SECOND;
}

static bool hash_parse(struct bytes in, uint64_t *ret)
{
    if (in.left == 0 || in.left > NICT_HASH)
        return false;
    for (size_t i = 0; i < in.left; i++) {
        uint8_t c = in.at[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!is_digit(c) && !letter && (!c || !strchr("+/=.:_-", c)))
            return false;
    }
    *ret = hash_bytes(in.at, in.left, 0);
    return true;
}

static bool low_parse(struct bytes in, uint16_t *ret)
{
    uint64_t high, low;
    struct bytes whole = in;
    if (number_parse(&whole, 65535, &low) && whole.left == 0) {
        *ret = (uint16_t)low;
        return true;
    }
    if (!number_parse(&in, 255, &high) || bytes_u8(&in) != '.' ||
        !number_parse(&in, 255, &low) || in.left)
        return false;
    *ret = (uint16_t)(high << 8 | low);
    return true;
}

static bool port_parse(struct bytes in, uint16_t *ret)
{
    uint64_t port;
    if (!number_parse(&in, 65535, &port) || in.left)
        return false;
    *ret = (uint16_t)port;
    return true;
}

/* The next field; false if a comma is missing or there is one too many. */
static bool field_take(struct bytes *line, unsigned column, struct bytes *ret)
{
    const uint8_t *comma = line->left ? memchr(line->at, ',', line->left) : NULL;
    bool last = column + 1 == COLUMNS;
    if (last == (comma != NULL))
        return false;
    *ret = bytes_take(line, comma ? (size_t)(comma - line->at) : line->left);
    if (comma)
        bytes_skip(line, 1);
    return true;
}

enum err nict_row_parse(struct bytes line, struct nict_row *ret_row, struct fault *f)
{
    struct nict_row row = {0};
    for (unsigned i = 0; i < COLUMNS; i++) {
        struct bytes field;
        if (!field_take(&line, i, &field))
            return fault_set(f, ERR_BAD, "column %u: there are %d columns, %s", i + 1, COLUMNS,
                i + 1 == COLUMNS ? "not more" : "not fewer");
        bool good = i == 0   ? instant_parse(field, &row.time)
                    : i == 1 ? hash_parse(field, &row.network)
                    : i == 2 ? hash_parse(field, &row.source)
                    : i == 3 ? low_parse(field, &row.dst)
                             : port_parse(field, &row.port);
        if (!good)
            return fault_set(f, ERR_BAD, "column %u: is not %s", i + 1, column_text[i]);
    }
    *ret_row = row;
    return OK;
}

struct ip nict_source(const struct nict_row *row)
{
    struct ip ip = {.byte = {0xfd}};
    uint64_t source = hash_u64(row->source);
    for (unsigned i = 0; i < 5; i++)
        ip.byte[1 + i] = (uint8_t)(row->network >> 8 * i);
    for (unsigned i = 0; i < 8; i++)
        ip.byte[8 + i] = (uint8_t)(source >> 8 * i);
    return ip;
}

/* --- files ---------------------------------------------------------------------------------
 */

struct reader {
    const struct nict_file *of;
    FILE *in;
    uint64_t line;
    struct nict_row next;
    bool there; /* `next` is a row */
    bool begun; /* it has had a packet */
    struct index index;
    struct block *blocks[CONTACTS / BLOCK];
    size_t block_count, contacts;
    uint64_t packets;
};

/* Is this the line of column names? Its first field begins with a letter and is no time. */
static bool is_header(struct bytes line)
{
    int64_t unused;
    const uint8_t *comma = line.left ? memchr(line.at, ',', line.left) : NULL;
    struct bytes field = bytes_over(line.at, comma ? (size_t)(comma - line.at) : line.left);
    uint8_t first = line.left ? *line.at : 0;
    return ((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z')) &&
           !instant_parse(field, &unused);
}

static enum err at_line(const struct reader *r, struct fault *f)
{
    char where[400];
    snprintf(
        where, sizeof where, "%.300s: line %llu", r->of->path, (unsigned long long)r->line);
    fault_prefix(f, where);
    return f->code;
}

/* Move on to the next row; at the end `there` is false. */
static enum err reader_next(struct reader *r, struct fault *f)
{
    char text[NICT_LINE + 2];
    r->there = false;
    while (fgets(text, sizeof text, r->in)) {
        size_t len = strlen(text);
        r->line++;
        if (len == 0 || (text[len - 1] != '\n' && !feof(r->in))) {
            fault_set(f, ERR_BAD, "longer than %d bytes, or with a zero byte", NICT_LINE);
            return at_line(r, f);
        }
        while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
            len--;
        struct bytes line = bytes_over(text, len);
        if (len == 0 || (r->line == 1 && is_header(line)))
            continue;
        if (nict_row_parse(line, &r->next, f))
            return at_line(r, f);
        r->there = true;
        return OK;
    }
    return ferror(r->in) ? fault_set(f, ERR_IO, "%s: %s", r->of->path, strerror(errno)) : OK;
}

static enum err block_open(struct reader *r)
{
    static const struct {
        size_t column;
        const char *word;
    } words[] = {{CONTACT_CLASS, "scan"}, {CONTACT_TOOL, ""}, {CONTACT_COUNTRY, ""}};
    struct block **b = &r->blocks[r->block_count];
    enum err e = *b ? OK : block_new(b, &record_contact, BLOCK);
    uint16_t number;
    if (e)
        return e;
    block_clear(*b);
    e = block_word(*b, CONTACT_SITE, r->of->site, &number);
    for (size_t i = 0; !e && i < 3; i++)
        e = block_word(*b, words[i].column, words[i].word, &number);
    r->block_count += !e;
    return e;
}

/* The contact of the row's source and port, a new one if it has none. */
static enum err contact_find(
    struct reader *r, int64_t start, const struct ip *src, uint32_t *ret_entry)
{
    uint64_t hash = hash_two(ip_hash(src), r->next.port);
    size_t at = index_first(&r->index, hash);
    for (; index_at(&r->index, at, hash, ret_entry); at = index_next(&r->index, at)) {
        if (*ret_entry == INDEX_OTHER)
            continue;
        const struct block *b = r->blocks[*ret_entry / BLOCK];
        size_t row = *ret_entry % BLOCK;
        if (block_u16(b, CONTACT_DPORT)[row] == r->next.port &&
            ip_same(&block_ip(b, CONTACT_SRC)[row], src))
            return OK;
    }
    if (r->contacts == CONTACTS)
        return ERR_FULL;
    enum err e = r->contacts % BLOCK ? OK : block_open(r);
    if (!e)
        e = index_put(&r->index, at, hash, (uint32_t)r->contacts);
    if (e)
        return e;
    struct block *b = r->blocks[r->contacts / BLOCK];
    size_t row = b->rows++;
    block_time(b, CONTACT_START)[row] = start;
    block_name(b, CONTACT_SITE)[row] = 0;
    block_ip(b, CONTACT_SRC)[row] = *src;
    block_u8(b, CONTACT_PROTO)[row] = PROTO_TCP;
    block_u16(b, CONTACT_DPORT)[row] = r->next.port;
    block_name(b, CONTACT_CLASS)[row] = 0;
    block_name(b, CONTACT_TOOL)[row] = 0;
    block_name(b, CONTACT_COUNTRY)[row] = 0;
    block_u32(b, CONTACT_ASN)[row] = 0;
    block_u32(b, CONTACT_PACKETS)[row] = 0;
    block_u64(b, CONTACT_BYTES)[row] = 0;
    block_u64(b, CONTACT_DSTS)[row] = 0;
    block_u64(b, CONTACT_SLOTS)[row] = 0;
    block_time(b, CONTACT_FIRST)[row] = r->next.time;
    block_time(b, CONTACT_LAST)[row] = r->next.time;
    block_u8(b, CONTACT_FLAGS)[row] = 2; /* a SYN, as all packets of that form are */
    block_u16(b, CONTACT_WIN)[row] = 0;
    *ret_entry = (uint32_t)r->contacts++;
    return OK;
}

static enum err row_count(struct reader *r, int64_t start, int64_t window)
{
    uint32_t entry;
    const struct ip src = nict_source(&r->next);
    enum err e = contact_find(r, start, &src, &entry);
    if (e)
        return e;
    struct block *b = r->blocks[entry / BLOCK];
    size_t row = entry % BLOCK;
    int64_t slot = (r->next.time - start) / (window / 60);
    block_u32(b, CONTACT_PACKETS)[row] += block_u32(b, CONTACT_PACKETS)[row] < UINT32_MAX;
    block_u64(b, CONTACT_BYTES)[row] += 40; /* a SYN without options: lengths are not given */
    block_u64(b, CONTACT_DSTS)[row] |= (uint64_t)1 << (hash_u64(r->next.dst) & 63);
    block_u64(b, CONTACT_SLOTS)[row] |= (uint64_t)1 << (slot < 60 ? slot : 59);
    int64_t *first = &block_time(b, CONTACT_FIRST)[row];
    int64_t *last = &block_time(b, CONTACT_LAST)[row];
    *first = r->next.time < *first ? r->next.time : *first;
    *last = r->next.time > *last ? r->next.time : *last;
    r->packets++;
    return OK;
}

/* All rows before the end of the window. */
static enum err window_fill(struct reader *r, int64_t start, int64_t window, struct fault *f)
{
    enum err e = OK;
    index_clear(&r->index);
    r->block_count = r->contacts = 0;
    r->packets = 0;
    while (!e && r->there && r->next.time < start + window) {
        if (r->next.time < start) {
            fault_set(f, ERR_BAD, "column 1: more than a window before the lines before it");
            return at_line(r, f);
        }
        e = row_count(r, start, window);
        if (e) {
            fault_set(
                f, e, "%s", e == ERR_FULL ? "too many contacts in one window" : err_text(e));
            return at_line(r, f);
        }
        e = reader_next(r, f);
    }
    return e;
}

static enum err reader_open(struct reader *r, const struct nict_file *of, struct fault *f)
{
    r->of = of;
    r->in = fopen(of->path, "r");
    if (!r->in)
        return fault_set(f, ERR_NOTFOUND, "%s: %s", of->path, strerror(errno));
    if (index_init(&r->index, CONTACTS))
        return fault_set(f, ERR_NOMEM, "out of memory");
    return reader_next(r, f);
}

static void reader_close(struct reader *r)
{
    if (r->in)
        fclose(r->in);
    index_done(&r->index);
    for (size_t i = 0; i < CONTACTS / BLOCK; i++)
        block_free(r->blocks[i]);
}

static enum err window_record(
    struct tape *t, struct reader *readers, size_t count, struct window *w, struct fault *f)
{
    struct window_site *about = calloc(count + 1, sizeof *about);
    const struct block **blocks = calloc(count * (CONTACTS / BLOCK) + 1, sizeof *blocks);
    enum err e = about && blocks ? OK : fault_set(f, ERR_NOMEM, "out of memory");
    w->block_count = 0;
    for (size_t i = 0; !e && i < count; i++) {
        struct reader *r = &readers[i];
        e = window_fill(r, w->start, w->length, f);
        about[i] = (struct window_site){.packets = r->packets, .kept = 1.0};
        snprintf(about[i].name, sizeof about[i].name, "%s", r->of->site);
        r->begun |= r->packets > 0;
        about[i].watching = r->begun && (r->packets || r->there);
        for (size_t k = 0; k < r->block_count; k++)
            blocks[w->block_count++] = r->blocks[k];
    }
    w->sites = about;
    w->site_count = count;
    w->blocks = blocks;
    if (!e)
        e = tape_add(t, w, f);
    free(about);
    free(blocks);
    return e;
}

static int by_site(const void *a, const void *b)
{
    const struct nict_file *x = a, *y = b;
    return strcmp(x->site, y->site);
}

static enum err sites_record(
    struct tape *t, struct reader *readers, size_t count, int64_t window, struct fault *f)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < count; i++)
        if (readers[i].there && readers[i].next.time < next)
            next = readers[i].next.time;
    struct window w = {.start = next == INT64_MAX ? 0 : time_floor(next, window),
        .length = window,
        .kind = &record_contact};
    enum err e = OK;
    for (bool more = next != INT64_MAX; !e && more; w.start += window) {
        e = window_record(t, readers, count, &w, f);
        more = false;
        for (size_t i = 0; i < count; i++)
            more |= readers[i].there;
    }
    return e;
}

enum err nict_record(struct tape *t, const struct nict_file *files, size_t count,
    int64_t window, struct fault *f)
{
    if (count < 1 || count > NICT_SITES)
        return fault_set(f, ERR_RANGE, "%zu files; 1 to %d are allowed", count, NICT_SITES);
    struct reader *readers = calloc(count, sizeof *readers);
    struct nict_file *sorted = malloc(count * sizeof *sorted);
    enum err e = readers && sorted ? OK : fault_set(f, ERR_NOMEM, "out of memory");
    if (!e) {
        memcpy(sorted, files, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, by_site);
    }
    for (size_t i = 0; !e && i < count; i++) {
        if (i && strcmp(sorted[i].site, sorted[i - 1].site) == 0)
            e = fault_set(f, ERR_EXISTS, "two files of the site %s", sorted[i].site);
        else
            e = reader_open(&readers[i], &sorted[i], f);
    }
    if (!e)
        e = sites_record(t, readers, count, window, f);
    for (size_t i = 0; readers && i < count; i++)
        reader_close(&readers[i]);
    free(readers);
    free(sorted);
    return e;
}
