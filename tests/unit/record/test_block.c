#include "test.h"

#include "blocks.h"

#include "base/json.h"

#include <zstd.h>

enum {
    SEEDS = 40
};

/* Encoded bytes of a block; the caller's to release. */
static struct buf encoded(const struct block *b)
{
    struct buf out;
    buf_init(&out, 1 << 28);
    assert_int_equal(block_encode(b, &out), OK);
    return out;
}

static void decode_is_the_inverse(void **state)
{
    (void)state;
    for (size_t k = 0; record_all[k]; k++)
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            struct block *b = random_block(record_all[k], (size_t)seed * 7 % 100, seed);
            struct buf wire = encoded(b);
            assert_true(wire.len <= block_encoded_max(b->kind));
            struct block *back = NULL;
            struct fault f = {0};
            if (block_decode(&back, b->kind, bytes_over(wire.data, wire.len), &f))
                fail_msg("%s", f.text);
            assert_same_rows(b, back);
            assert_true(block_digest(b) == block_digest(back));
            block_free(back);
            block_free(b);
            buf_done(&wire);
        }
}

static void unpack_is_the_inverse(void **state)
{
    (void)state;
    for (size_t k = 0; record_all[k]; k++)
        for (int level = 1; level <= 19; level += 9) {
            struct block *b = random_block(record_all[k], 300, (uint64_t)level);
            struct buf wire;
            buf_init(&wire, 1 << 24);
            assert_int_equal(block_pack(b, level, &wire), OK);
            struct block *back = NULL;
            struct fault f = {0};
            if (block_unpack(&back, b->kind, bytes_over(wire.data, wire.len), &f))
                fail_msg("%s", f.text);
            assert_same_rows(b, back);
            block_free(back);
            block_free(b);
            buf_done(&wire);
        }
}

static void merged_shards_are_the_whole(void **state)
{
    (void)state;
    for (size_t k = 0; record_all[k]; k++)
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            struct rng r;
            rng_seed(&r, seed);
            size_t rows = 1 + rng_below(&r, 200);
            struct block *whole = random_block(record_all[k], rows, seed + 1000);
            struct block *merged = NULL;
            assert_int_equal(block_new(&merged, record_all[k], rows), OK);
            for (size_t from = 0; from < rows;) {
                size_t to = from + 1 + rng_below(&r, rows - from);
                struct block *shard = NULL;
                assert_int_equal(block_new(&shard, record_all[k], to - from), OK);
                assert_int_equal(block_append(shard, whole, from, to), OK);
                assert_int_equal(block_append(merged, shard, 0, shard->rows), OK);
                block_free(shard);
                from = to;
            }
            assert_same_rows(whole, merged);
            assert_true(block_digest(whole) == block_digest(merged));
            block_free(whole);
            block_free(merged);
        }
}

static void encoded_together_is_as_one(void **state)
{
    enum {
        SHARDS = 3
    };
    (void)state;
    for (size_t k = 0; record_all[k]; k++)
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            struct block *shard[SHARDS];
            struct block *whole = NULL;
            struct buf together;
            struct buf one;
            buf_init(&together, 1 << 24);
            buf_init(&one, 1 << 24);
            assert_int_equal(block_new(&whole, record_all[k], 100 * SHARDS), OK);
            for (size_t i = 0; i < SHARDS; i++) {
                shard[i] = random_block(
                    record_all[k], (size_t)(seed * (i + 1)) % 100, seed * SHARDS + i);
                assert_int_equal(block_append(whole, shard[i], 0, shard[i]->rows), OK);
            }
            const struct block *const *shards = (const struct block *const *)shard;
            assert_int_equal(block_encode_numbered(shards, SHARDS, &together), OK);
            assert_int_equal(
                block_encode_numbered(&(const struct block *){whole}, 1, &one), OK);
            assert_int_equal(together.len, one.len);
            assert_memory_equal(together.data, one.data, one.len);
            for (size_t i = 0; i < SHARDS; i++)
                block_free(shard[i]);
            block_free(whole);
            buf_done(&together);
            buf_done(&one);
        }
}

static void too_many_words_together_are_refused(void **state)
{
    (void)state;
    struct block *b[2];
    struct buf out;
    buf_init(&out, 1 << 24);
    buf_u8(&out, 7);
    for (unsigned k = 0; k < 2; k++) {
        assert_int_equal(block_new(&b[k], &record_site_status, 1), OK);
        for (unsigned i = 0; i < NAMES_MAX; i++) {
            char word[16];
            uint16_t number;
            snprintf(word, sizeof word, "w-%u", i + k); /* one more than one list may hold */
            assert_int_equal(block_word(b[k], STATUS_SITE, word, &number), OK);
        }
    }
    const struct block *const *both = (const struct block *const *)b;
    assert_int_equal(block_encode_numbered(both, 1, &out), OK);
    size_t before = out.len;
    assert_int_equal(block_encode_numbered(both, 2, &out), ERR_FULL);
    assert_int_equal(out.len, before);
    assert_int_equal(out.err, OK);
    block_free(b[0]);
    block_free(b[1]);
    buf_done(&out);
}

static void gathered_rows_come_in_the_order_asked(void **state)
{
    (void)state;
    for (size_t k = 0; record_all[k]; k++) {
        uint32_t backwards[60];
        struct block *b = random_block(record_all[k], 60, 17);
        struct block *once = NULL;
        struct block *twice = NULL;
        for (uint32_t i = 0; i < 60; i++)
            backwards[i] = 59 - i;
        assert_int_equal(block_new(&once, record_all[k], 60), OK);
        assert_int_equal(block_new(&twice, record_all[k], 60), OK);
        assert_int_equal(block_gather(once, b, backwards, 60), OK);
        assert_int_equal(block_gather(twice, once, backwards, 60), OK);
        assert_false(block_digest(once) == block_digest(b));
        assert_same_rows(b, twice);
        assert_int_equal(block_gather(twice, b, backwards, 1), ERR_FULL);
        block_free(b);
        block_free(once);
        block_free(twice);
    }
}

static void blocks_one_after_another_are_read_one_by_one(void **state)
{
    (void)state;
    struct block *first = random_block(&record_contact, 5, 1);
    struct block *second = random_block(&record_contact, 9, 2);
    struct buf wire = encoded(first);
    assert_int_equal(block_encode(second, &wire), OK);
    struct bytes in = bytes_over(wire.data, wire.len);
    struct block *back = NULL;
    assert_int_equal(block_decode_next(&back, &record_contact, &in, NULL), OK);
    assert_same_rows(first, back);
    block_free(back);
    assert_int_equal(block_decode_next(&back, &record_contact, &in, NULL), OK);
    assert_same_rows(second, back);
    block_free(back);
    assert_int_equal(in.left, 0);
    block_free(first);
    block_free(second);
    buf_done(&wire);
}

static void words_are_renumbered(void **state)
{
    (void)state;
    struct block *a = NULL;
    struct block *b = NULL;
    uint16_t unused = 0;
    assert_int_equal(block_new(&a, &record_dos, 4), OK);
    assert_int_equal(block_new(&b, &record_dos, 4), OK);
    struct rng r;
    rng_seed(&r, 5);
    random_rows(a, 2, &r);
    for (int i = 0; i < 40; i++) {
        char word[16];
        snprintf(word, sizeof word, "other-%d", i);
        assert_int_equal(block_word(b, DOS_SITE, word, &unused), OK);
    }
    assert_int_equal(block_append(b, a, 0, 2), OK);
    assert_string_equal(block_word_at(a, DOS_SITE, 1), block_word_at(b, DOS_SITE, 1));
    assert_int_not_equal(block_name(a, DOS_SITE)[1], block_name(b, DOS_SITE)[1]);
    assert_true(block_digest(a) == block_digest(b));
    block_free(a);
    block_free(b);
}

static void digest_sees_every_column(void **state)
{
    (void)state;
    for (size_t k = 0; record_all[k]; k++) {
        const struct record *kind = record_all[k];
        struct block *b = random_block(kind, 50, 7);
        uint64_t digest = block_digest(b);
        for (size_t i = 0; i < kind->column_count; i++) {
            uint16_t word = 0;
            uint8_t *rows = b->column[i].rows;
            uint8_t kept = rows[2];
            if (kind->columns[i].type == COLUMN_NAME)
                assert_int_equal(block_word(b, i, "a-word-of-no-other-row", &word), OK);
            if (kind->columns[i].type == COLUMN_NAME)
                rows[2] = (uint8_t)word;
            else if (kind->columns[i].type == COLUMN_BYTES)
                b->column[i].heap.data[3] ^= 1;
            else
                rows[2] ^= 1;
            if (block_digest(b) == digest)
                fail_msg("%s of %s", kind->columns[i].name, kind->name);
            if (kind->columns[i].type == COLUMN_BYTES)
                b->column[i].heap.data[3] ^= 1;
            rows[2] = kept;
            assert_true(block_digest(b) == digest);
        }
        block_free(b);
    }
}

static void every_prefix_is_refused(void **state)
{
    (void)state;
    for (size_t k = 0; record_all[k]; k++) {
        struct block *b = random_block(record_all[k], 3, 11);
        struct buf wire = encoded(b);
        struct buf packed;
        buf_init(&packed, 1 << 20);
        assert_int_equal(block_pack(b, 3, &packed), OK);
        struct block *back = NULL;
        for (size_t cut = 0; cut < wire.len; cut++) {
            uint8_t *exact = malloc(cut + 1);
            assert_non_null(exact);
            memcpy(exact, wire.data, cut);
            struct fault f = {0};
            enum err e = block_decode(&back, b->kind, bytes_over(exact, cut), &f);
            assert_int_equal(e, ERR_SHORT);
            assert_int_equal(f.code, e);
            assert_non_null(strstr(f.text, b->kind->name));
            free(exact);
        }
        for (size_t cut = 0; cut < packed.len; cut++)
            assert_int_not_equal(
                block_unpack(&back, b->kind, bytes_over(packed.data, cut), NULL), OK);
        assert_null(back);
        block_free(b);
        buf_done(&wire);
        buf_done(&packed);
    }
}

/* Where the head (name and type) of each column begins, and where the last one ends. */
static void find_columns(const struct record *kind, const struct buf *wire, size_t *ret_at)
{
    size_t at = 2;
    for (size_t i = 0; i < kind->column_count; i++) {
        size_t len = strlen(kind->columns[i].name);
        while (wire->data[at] != len || memcmp(wire->data + at + 1, kind->columns[i].name, len))
            at++;
        ret_at[i] = at;
        at += len;
    }
}

static void must_blame(const struct record *kind, const struct buf *wire, size_t column)
{
    struct block *back = NULL;
    struct fault f = {0};
    enum err e = block_decode(&back, kind, bytes_over(wire->data, wire->len), &f);
    char quoted[128];
    snprintf(quoted, sizeof quoted, "column \"%s\"", kind->columns[column].name);
    if (!e || !strstr(f.text, quoted))
        fail_msg("%s: expected a fault at %s, got: %s", kind->name, quoted, f.text);
}

static void a_spoilt_head_is_blamed_on_its_column(void **state)
{
    (void)state;
    for (size_t k = 0; record_all[k]; k++) {
        const struct record *kind = record_all[k];
        struct block *b = random_block(kind, 5, 3);
        struct buf wire = encoded(b);
        size_t at[RECORD_COLUMNS_MAX];
        find_columns(kind, &wire, at);
        for (size_t i = 0; i < kind->column_count; i++) {
            size_t head = strlen(kind->columns[i].name) + 2;
            head += wire.data[at[i] + head - 1];
            for (size_t byte = 0; byte < head; byte++) {
                wire.data[at[i] + byte] ^= 0x01;
                must_blame(kind, &wire, i);
                wire.data[at[i] + byte] ^= 0x01;
            }
        }
        block_free(b);
        buf_done(&wire);
    }
}

/* The wire form of one row, with one value of one column spoilt. */
static void spoilt_value(
    const struct record *kind, size_t column, const char *value, size_t len, struct buf *out)
{
    static const char *const wire_types[] = {
        "UInt8", "UInt16", "UInt32", "UInt64", "Int64", "FixedString(16)", "String", "String"};
    static const size_t widths[] = {1, 2, 4, 8, 8, 16, 1, 1};
    buf_varint(out, kind->column_count);
    buf_varint(out, 1);
    for (size_t i = 0; i < kind->column_count; i++) {
        enum column_type type = kind->columns[i].type;
        buf_varint(out, strlen(kind->columns[i].name));
        buf_str(out, kind->columns[i].name);
        buf_varint(out, strlen(wire_types[type]));
        buf_str(out, wire_types[type]);
        if (i != column)
            buf_put(out, (uint8_t[16]){0}, widths[type]);
        else
            buf_varint(out, len);
        if (i == column)
            buf_put(out, value, len);
    }
}

static void a_spoilt_value_is_blamed_on_its_column(void **state)
{
    (void)state;
    static const char *const words[] = {"Upper", "with space", "a,b", "quote\"", "tab\t", "é",
        "{", "back\\slash", "0123456789012345678901234567890123456789012345678901234567890123"};
    char *long_value = calloc(1, 300);
    assert_non_null(long_value);
    for (size_t k = 0; record_all[k]; k++)
        for (size_t i = 0; i < record_all[k]->column_count; i++) {
            struct buf wire;
            buf_init(&wire, 1 << 16);
            enum column_type type = record_all[k]->columns[i].type;
            for (size_t w = 0; type == COLUMN_NAME && w < sizeof words / sizeof *words; w++) {
                buf_clear(&wire);
                spoilt_value(record_all[k], i, words[w], strlen(words[w]), &wire);
                must_blame(record_all[k], &wire, i);
            }
            if (type == COLUMN_BYTES) {
                size_t most = record_all[k]->columns[i].most;
                spoilt_value(record_all[k], i, long_value, most + 1, &wire);
                must_blame(record_all[k], &wire, i);
                buf_clear(&wire);
                spoilt_value(record_all[k], i, long_value, most, &wire);
                struct block *back = NULL;
                assert_int_equal(
                    block_decode(&back, record_all[k], bytes_over(wire.data, wire.len), NULL),
                    OK);
                block_free(back);
            }
            buf_done(&wire);
        }
    free(long_value);
}

static enum err decode_text(const char *hex_free, size_t len, struct fault *f)
{
    struct block *back = NULL;
    return block_decode(&back, &record_packet, bytes_over(hex_free, len), f);
}

static void counts_are_checked_before_memory(void **state)
{
    (void)state;
    struct fault f = {0};
    assert_int_equal(decode_text("\x17\xff\xff\xff\xff\x0f", 6, &f), ERR_RANGE);
    assert_non_null(strstr(f.text, "at most 131072"));
    assert_int_equal(decode_text("\x17\x80\x80\x08", 4, &f), ERR_SHORT);
    assert_non_null(strstr(f.text, "cannot hold 131072 rows"));
    assert_int_equal(decode_text("\x16\x01", 2, &f), ERR_BAD);
    assert_non_null(strstr(f.text, "22 columns"));
}

static void what_follows_is_refused(void **state)
{
    (void)state;
    struct block *b = random_block(&record_contact, 4, 2);
    struct buf wire = encoded(b);
    buf_u8(&wire, 0);
    struct block *back = NULL;
    struct fault f = {0};
    assert_int_equal(
        block_decode(&back, b->kind, bytes_over(wire.data, wire.len), &f), ERR_BAD);
    assert_non_null(strstr(f.text, "1 bytes left over"));
    struct buf packed;
    buf_init(&packed, 1 << 20);
    assert_int_equal(block_pack(b, 1, &packed), OK);
    buf_u8(&packed, 0);
    assert_int_equal(
        block_unpack(&back, b->kind, bytes_over(packed.data, packed.len), &f), ERR_BAD);
    block_free(b);
    buf_done(&wire);
    buf_done(&packed);
}

static void frames_without_an_honest_size_are_refused(void **state)
{
    (void)state;
    struct block *b = random_block(&record_site_status, 20, 2);
    struct buf wire = encoded(b);
    uint8_t packed[65536];
    struct block *back = NULL;
    struct fault f = {0};
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
    size_t len = ZSTD_compress2(context, packed, sizeof packed, wire.data, wire.len);
    assert_false(ZSTD_isError(len));
    assert_int_equal(block_unpack(&back, b->kind, bytes_over(packed, len), &f), ERR_BAD);
    assert_non_null(strstr(f.text, "does not state its size"));

    size_t bomb = block_encoded_max(b->kind) + 1;
    uint8_t *zeros = calloc(1, bomb);
    assert_non_null(zeros);
    len = ZSTD_compress(packed, sizeof packed, zeros, bomb, 3);
    assert_false(ZSTD_isError(len));
    assert_int_equal(block_unpack(&back, b->kind, bytes_over(packed, len), &f), ERR_RANGE);
    free(zeros);

    assert_int_equal(block_unpack(&back, b->kind, bytes_over("junk", 4), &f), ERR_BAD);
    ZSTD_freeCCtx(context);
    block_free(b);
    buf_done(&wire);
}

static void a_flipped_bit_in_a_packed_block_is_refused(void **state)
{
    (void)state;
    struct block *b = random_block(&record_dos, 6, 9);
    struct buf packed;
    buf_init(&packed, 1 << 20);
    assert_int_equal(block_pack(b, 3, &packed), OK);
    struct block *back = NULL;
    for (size_t i = 0; i < packed.len * 8; i++) {
        packed.data[i / 8] ^= (uint8_t)(1 << i % 8);
        if (block_unpack(&back, b->kind, bytes_over(packed.data, packed.len), NULL) == OK) {
            /* A bit of the frame header that does not matter to the content. */
            assert_same_rows(b, back);
            block_free(back);
        }
        packed.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    block_free(b);
    buf_done(&packed);
}

static void caps_hold(void **state)
{
    (void)state;
    struct block *b = NULL;
    uint16_t number = 0;
    assert_int_equal(block_new(&b, &record_packet, 2), OK);
    assert_int_equal(block_word(b, PACKET_SITE, "Jp-01", &number), ERR_BAD);
    assert_int_equal(block_word(b, PACKET_SITE, "jp 01", &number), ERR_BAD);
    char word[80];
    memset(word, 'a', sizeof word);
    word[64] = 0;
    assert_int_equal(block_word(b, PACKET_SITE, word, &number), ERR_BAD);
    word[63] = 0;
    assert_int_equal(block_word(b, PACKET_SITE, word, &number), OK);
    for (int i = 1; i < NAMES_MAX; i++) {
        snprintf(word, sizeof word, "w%d", i);
        assert_int_equal(block_word(b, PACKET_SITE, word, &number), OK);
        assert_int_equal(number, i);
    }
    assert_int_equal(block_word(b, PACKET_SITE, "one-more", &number), ERR_FULL);
    assert_int_equal(block_word(b, PACKET_SITE, "w77", &number), OK);
    assert_int_equal(number, 77);

    uint8_t data[257] = {0};
    assert_int_equal(block_bytes_add(b, PACKET_PAYLOAD, data, 257), ERR_RANGE);
    assert_int_equal(block_bytes_add(b, PACKET_PAYLOAD, data, 256), OK);
    assert_int_equal(block_bytes_add(b, PACKET_PAYLOAD, data, 256), OK);
    assert_int_equal(block_bytes_add(b, PACKET_PAYLOAD, data, 0), ERR_FULL);
    block_free(b);
}

static void an_append_that_does_not_fit_changes_nothing(void **state)
{
    (void)state;
    struct block *b = random_block(&record_contact, 10, 21);
    struct block *more = random_block(&record_contact, 10, 22);
    uint64_t before = block_digest(b);
    assert_int_equal(block_append(b, more, 0, 1), ERR_FULL);
    assert_true(block_digest(b) == before);

    struct block *wide = NULL;
    uint16_t number = 0;
    assert_int_equal(block_new(&wide, &record_contact, 100), OK);
    assert_int_equal(block_append(wide, b, 0, 10), OK);
    while (wide->column[CONTACT_TOOL].names.count < NAMES_MAX) {
        char word[32];
        snprintf(word, sizeof word, "tool-%u", wide->column[CONTACT_TOOL].names.count);
        assert_int_equal(block_word(wide, CONTACT_TOOL, word, &number), OK);
    }
    before = block_digest(wide);
    assert_int_equal(block_append(wide, more, 0, 10), ERR_FULL);
    assert_int_equal(wide->rows, 10);
    assert_true(block_digest(wide) == before);
    block_free(b);
    block_free(more);
    block_free(wide);
}

static void a_cleared_block_is_as_new(void **state)
{
    (void)state;
    struct block *b = random_block(&record_packet, 30, 4);
    block_clear(b);
    struct rng r;
    rng_seed(&r, 4);
    random_rows(b, 30, &r);
    struct block *fresh = random_block(&record_packet, 30, 4);
    assert_same_rows(b, fresh);
    block_free(b);
    block_free(fresh);
}

static struct block *one_packet(void)
{
    struct block *b = NULL;
    assert_int_equal(block_new(&b, &record_packet, 1), OK);
    for (size_t i = 0; i < b->kind->column_count; i++) {
        if (b->kind->columns[i].type == COLUMN_NAME)
            assert_int_equal(block_word(b, i, "", block_name(b, i)), OK);
        else if (b->kind->columns[i].type != COLUMN_BYTES)
            memset(b->column[i].rows, 0, b->kind->columns[i].type == COLUMN_IP ? 16 : 1);
    }
    block_time(b, PACKET_TS)[0] = 1700000000000001;
    block_ip(b, PACKET_SRC)[0] = ip_from_v4(0xc0000201);
    assert_int_equal(block_word(b, PACKET_SITE, "jp-01", block_name(b, PACKET_SITE)), OK);
    block_u16(b, PACKET_SPORT)[0] = 65535;
    block_u16(b, PACKET_DPORT)[0] = 23;
    block_u64(b, PACKET_PAYLOAD_HASH)[0] = UINT64_MAX;
    static const size_t zero16[] = {
        PACKET_IP_ID, PACKET_IP_LEN, PACKET_TCP_WIN, PACKET_QUIRKS, PACKET_PAYLOAD_LEN};
    static const size_t zero32[] = {
        PACKET_TCP_SEQ, PACKET_TCP_ACK, PACKET_TCP_OPTS, PACKET_ASN};
    for (size_t i = 0; i < sizeof zero16 / sizeof *zero16; i++)
        block_u16(b, zero16[i])[0] = 0;
    for (size_t i = 0; i < sizeof zero32 / sizeof *zero32; i++)
        block_u32(b, zero32[i])[0] = 0;
    assert_int_equal(block_bytes_add(b, PACKET_PAYLOAD, "\x00\xff\"", 3), OK);
    b->rows = 1;
    return b;
}

static void a_row_is_json(void **state)
{
    (void)state;
    struct block *b = one_packet();
    struct buf out;
    buf_init(&out, 4096);
    block_row_json(b, 0, &out);
    json_t *row = json_loadb((const char *)out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(row);
    assert_int_equal(json_object_size(row), PACKET_COLUMNS);
    assert_string_equal(
        json_string_value(json_object_get(row, "ts")), "2023-11-14T22:13:20.000001Z");
    assert_string_equal(json_string_value(json_object_get(row, "src")), "192.0.2.1");
    assert_string_equal(json_string_value(json_object_get(row, "dst")), "::");
    assert_int_equal(json_integer_value(json_object_get(row, "sport")), 65535);
    assert_string_equal(
        json_string_value(json_object_get(row, "payload_hash")), "18446744073709551615");
    assert_string_equal(json_string_value(json_object_get(row, "payload")), "00ff22");
    json_decref(row);
    buf_done(&out);
    block_free(b);
}

static void a_row_is_csv(void **state)
{
    (void)state;
    struct block *b = one_packet();
    struct buf out;
    buf_init(&out, 4096);
    record_csv_header(&record_packet, &out);
    assert_int_equal(strncmp((char *)out.data, "ts,site,src,dst,proto,sport,dport,", 34), 0);
    buf_clear(&out);
    block_row_csv(b, 0, &out);
    assert_string_equal((char *)out.data,
        "2023-11-14T22:13:20.000001Z,jp-01,192.0.2.1,::,0,65535,23,0,0,0,0,0,0,0,0,0,0,"
        "18446744073709551615,00ff22,,,,0\r\n");
    buf_done(&out);
    block_free(b);
}

static const struct CMUnitTest tests[] = {
    SAYS("decoding an encoded block gives the same rows", decode_is_the_inverse),
    SAYS("unpacking a packed block gives the same rows", unpack_is_the_inverse),
    SAYS("shards of a block appended in order are the block", merged_shards_are_the_whole),
    SAYS("blocks encoded together are as one that has all their rows",
        encoded_together_is_as_one),
    SAYS("blocks with too many words together are refused, and nothing is written",
        too_many_words_together_are_refused),
    SAYS("gathered rows come in the order asked", gathered_rows_come_in_the_order_asked),
    SAYS("blocks one after another are read one by one",
        blocks_one_after_another_are_read_one_by_one),
    SAYS("appending renumbers the words and keeps the rows", words_are_renumbered),
    SAYS("the digest changes with any column", digest_sees_every_column),
    SAYS("every prefix of a block, plain or packed, is refused", every_prefix_is_refused),
    SAYS("a wrong name or type is blamed on its column", a_spoilt_head_is_blamed_on_its_column),
    SAYS("a value that is not allowed is blamed on its column",
        a_spoilt_value_is_blamed_on_its_column),
    SAYS("impossible counts are refused before memory is taken",
        counts_are_checked_before_memory),
    SAYS("bytes after a block are refused", what_follows_is_refused),
    SAYS("a frame with no size or too large a size is refused",
        frames_without_an_honest_size_are_refused),
    SAYS("a flipped bit in a packed block never changes its rows",
        a_flipped_bit_in_a_packed_block_is_refused),
    SAYS("words, bytes and rows beyond their caps are refused", caps_hold),
    SAYS("an append that does not fit changes nothing",
        an_append_that_does_not_fit_changes_nothing),
    SAYS("a cleared block is as a new one", a_cleared_block_is_as_new),
    SAYS("a row as JSON has every column, addresses and times as text", a_row_is_json),
    SAYS("a row as CSV has the header's order", a_row_is_csv),
};

TEST_MAIN(tests)
