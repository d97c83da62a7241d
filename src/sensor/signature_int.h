#ifndef SENSOR_SIGNATURE_INT_H
#define SENSOR_SIGNATURE_INT_H

#include "sensor/fingerprint.h"

/* The insides of the rule language: fields, compiled terms, and the set. */

/* Fields of a packet. X(id, word, pair, text); pair: a pairwise rule may use it. */
#define FIELD_LIST(X)                                                                          \
    X(FIELD_ID, "id", 1, "IPv4 identification")                                                \
    X(FIELD_TTL, "ttl", 0, "time to live as it arrived")                                       \
    X(FIELD_TTL0, "ttl0", 0, "time to live rounded up to 32, 64, 128 or 255")                  \
    X(FIELD_LEN, "len", 0, "length of the IP packet")                                          \
    X(FIELD_VERSION, "version", 0, "4 or 6")                                                   \
    X(FIELD_PROTO, "proto", 0, "IP protocol number")                                           \
    X(FIELD_SRC, "src", 0, "source address (IPv6: its last 32 bits)")                          \
    X(FIELD_DST, "dst", 1, "destination address (IPv6: its last 32 bits)")                     \
    X(FIELD_SPORT, "sport", 1, "source port")                                                  \
    X(FIELD_DPORT, "dport", 1, "destination port")                                             \
    X(FIELD_SEQ, "seq", 1, "TCP sequence number")                                              \
    X(FIELD_ACK, "ack", 1, "TCP acknowledgement number")                                       \
    X(FIELD_WIN, "win", 1, "TCP window")                                                       \
    X(FIELD_FLAGS, "flags", 0, "TCP flags, FIN lowest bit")                                    \
    X(FIELD_OFF, "off", 0, "TCP header length in 32-bit words")                                \
    X(FIELD_MSS, "mss", 0, "TCP maximum segment size option, 0 if absent")                     \
    X(FIELD_OPTS, "opts", 0, "digest of the TCP options")                                      \
    X(FIELD_ICMP_TYPE, "icmp_type", 0, "ICMP type")                                            \
    X(FIELD_ICMP_CODE, "icmp_code", 0, "ICMP code")                                            \
    X(FIELD_ICMP_ID, "icmp_id", 0, "identifier of an ICMP echo")                               \
    X(FIELD_ICMP_SEQ, "icmp_seq", 0, "sequence number of an ICMP echo")                        \
    X(FIELD_PLEN, "plen", 0, "bytes of payload that were captured")

enum field {
    FIELD_ZERO, /* no field: always 0 */
#define X(id, word, pair, text) id,
    FIELD_LIST(X)
#undef X
    FIELD_COUNT
};

/* In a pairwise rule the earlier packet's fields come first, the later one's after them, and
 * then the exclusive or of both. */
enum {
    FIELD_LATER = FIELD_COUNT,
    FIELD_BOTH = 2 * FIELD_COUNT,
    FIELD_VALUES = 3 * FIELD_COUNT,
    RELATION_PLAIN = 4,
    RELATION_ITEMS = 8,
    CODE_DEPTH = 24,    /* of the evaluation stack */
    CODE_MAX = 1 << 16, /* operations of all rules together */
    CLAUSES_MAX = 16,   /* that one expression is expanded to; else part of it stays code */
};

/* What expressions are run on. */
struct field_values {
    const uint32_t *v; /* FIELD_COUNT, for pairwise expressions FIELD_VALUES of them */
    struct bytes payload;
};

/* An expression is compiled to clauses, of which one must hold, and a clause to parts, which
 * all must hold: tests of one field, relations of several, and code for the rest, in this
 * order, so that nearly every packet is done with after a test or two of each rule. */

/* Any comparison of a field with a constant: (field & mask) - low <= range, modulo 2^32. */
struct test {
    uint32_t field, mask, low, range;
};

/* (exclusive or of the items) & mask == value */
struct relation {
    uint32_t mask, value;
    uint8_t count;
    bool plain;                    /* no more than RELATION_PLAIN fields as they are: */
    uint8_t field[RELATION_PLAIN]; /* these, FIELD_ZERO where there are fewer */
    struct relation_item {
        uint8_t field;
        uint8_t shift; /* to the left, ... */
        uint8_t right; /* ... or to the right; no more than one of them */
        bool swap;     /* its four bytes; then there is no shift */
    } item[RELATION_ITEMS];
};

enum code_op {
    OP_CONST,
    OP_FIELD,
    OP_PAYLOAD8, /* missing bytes read as a value that no byte has */
    OP_PAYLOAD16,
    OP_STARTS, /* payload begins with these bytes: offset << 8 | length in the text pool */
    OP_ZEROS,  /* payload bytes [from, to) are there and zero: from << 16 | to */
    OP_NOT,
    OP_INVERT,
    OP_SWAP,
    OP_MUL,
    OP_ADD,
    OP_SUB,
    OP_SHL,
    OP_SHR,
    OP_AND,
    OP_XOR,
    OP_OR,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_EQ,
    OP_NE,
    OP_BOTH,
    OP_EITHER,
    OP_COUNT
};

struct code {
    uint32_t op;
    uint32_t value;
};

struct program {
    uint32_t start, length; /* in the code */
};

/* Numbers [first, end) of tests, relations and programs. */
struct clause {
    uint16_t test, test_end;
    uint16_t relation, relation_end;
    uint16_t program, program_end;
};

/* Numbers [first, end) of clauses. */
struct clauses {
    uint16_t first, end;
};

/* A condition that a pairwise rule cannot do without, on the difference of two packets: one
 * relation, whose items are fields of PAIR_LIST. Most pairs need no more. */
#define PAIR_LIST(X)                                                                           \
    X(FIELD_SEQ, seq)                                                                          \
    X(FIELD_ACK, ack)                                                                          \
    X(FIELD_DST, dst)                                                                          \
    X(FIELD_SPORT, sport)                                                                      \
    X(FIELD_DPORT, dport)                                                                      \
    X(FIELD_ID, id)                                                                            \
    X(FIELD_WIN, win)

enum pair_field {
#define X(id, member) PAIR_##id,
    PAIR_LIST(X)
#undef X
    PAIR_FIELDS
};

struct pair_need {
    uint32_t mask, value; /* mask 0, value 0: there is none */
    uint8_t count;
    struct relation_item item[RELATION_ITEMS]; /* by enum pair_field */
};

struct rule {
    struct signature shown;
    struct clauses match; /* of a packet; of a pairwise rule, of each packet */
    struct clauses pair;
    struct pair_need need;
    uint8_t pair_number;
    bool v4_only; /* it names a field that IPv6 has not */
};

enum {
    SCOPES = 5
};

/* A clause of a rule with its most selective test and its first plain relation beside it (ones
 * that always hold if it has none): most packets need no more. */
struct trial {
    struct test test;
    uint32_t mask, value;
    uint8_t field[RELATION_PLAIN];
    uint16_t clause;
    uint8_t rule;
    bool more; /* the clause has other parts too */
};

enum {
    SIEVE_FIELDS = 4,
    SIEVE_TRIALS = 64
};

/* Which of up to 64 trials that follow each other can hold at all, told by the lowest byte of
 * the fields that tell most: a bit mask for each of their values. */
struct sieve {
    uint8_t field[SIEVE_FIELDS];
    uint64_t holds[SIEVE_FIELDS][256];
};

/* What is tried on the packets of one scope, in the order of rules; owned. */
struct scope_list {
    struct trial *trial;
    struct sieve *sieve; /* one for SIEVE_TRIALS of them each */
    size_t count;
};

/* A growing array of parts. */
struct parts {
    void *at;
    uint32_t count, room;
};

enum part_kind {
    PART_CLAUSE, /* struct clause, ... */
    PART_TEST,
    PART_RELATION,
    PART_PROGRAM,
    PART_CODE,
    PART_KINDS
};

struct fingerprints {
    struct rule rule[SIGNATURES_MAX];
    size_t rule_count;
    uint8_t pair_rule[SIGNATURE_PAIRS_MAX];
    size_t pair_count;
    struct parts part[PART_KINDS];
    char *pool; /* texts of starts() and of the signatures; never moved once published */
    size_t pool_count, pool_room;
    struct scope_list scope[SCOPES];
};

/* Texts of rules; NULL at the end. */
extern const char *const signature_builtin[];

/* A place in a rule file. */
struct place {
    unsigned line, column;
};

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,   /* letters, digits, _ . : - not at an end; begins with a letter */
    TOKEN_NUMBER, /* decimal or 0x */
    TOKEN_TEXT,   /* "..." */
    TOKEN_MARK,   /* one or two characters */
};

struct token {
    enum token_kind kind;
    struct place place;
    const uint8_t *at; /* TOKEN_TEXT: without quotes */
    size_t len;
    uint32_t number;
    char mark[3];
};

/* The reader of rules. After a failure `err` stays set and the fault holds the first reason. */
struct rules_reader {
    const char *name;
    struct bytes in;
    struct place place;
    struct token token;      /* the one to be looked at */
    const uint8_t *last_end; /* of the token before it */
    struct fault *fault;
    enum err err;
    bool words_are_plain; /* in expressions '-' and '.' are not part of words */
};

void rules_start(struct rules_reader *r, const char *name, struct bytes text, struct fault *f);
void rules_next(struct rules_reader *r);
bool rules_is(const struct rules_reader *r, const char *mark_or_word);
void rules_fail(struct rules_reader *r, struct place at, const char *format, ...) PRINTF(3, 4);
/* "what was found", for messages. */
const char *rules_shows(const struct rules_reader *r, char text[48]);

/* Compile the expression at the reader into clauses of the set; up to the token after it. */
struct expression_kind {
    bool pair; /* fields are a.x and b.x */
};
void expression_compile(struct fingerprints *set, struct rules_reader *r,
    const struct expression_kind *kind, struct clauses *ret_clauses, bool *ret_v4_only);

bool clause_holds(
    const struct fingerprints *set, unsigned clause, const struct field_values *v);
bool clauses_hold(
    const struct fingerprints *set, const struct clauses *c, const struct field_values *v);

/* Read a whole file of rules into the set. */
enum err signatures_read(
    struct fingerprints *set, const char *name, struct bytes text, struct fault *f) MUST_CHECK;

/* Append one part of a kind and return where it is, until the next of its kind is appended;
 * NULL, with a failure on the reader, if there is no room. */
void *set_append(struct fingerprints *set, struct rules_reader *r, enum part_kind kind);

/* From the rules of the set: what is tried on packets and on pairs of them. Again after every
 * change of the rules. */
enum err trials_lay_out(struct fingerprints *set) MUST_CHECK;
void trials_done(struct fingerprints *set);

#endif
