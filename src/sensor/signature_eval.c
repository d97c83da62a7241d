/* Running compiled rules. */
#include "sensor/signature_int.h"

#include <assert.h>
#include <string.h>

static uint32_t load_byte(const struct bytes *payload, uint32_t at)
{
    return at < payload->left ? payload->at[at] : 0x100;
}

static uint32_t load_pair(const struct bytes *payload, uint32_t at)
{
    if (at + 1 >= payload->left)
        return 0x10000;
    return (uint32_t)payload->at[at] << 8 | payload->at[at + 1];
}

static bool payload_starts(
    const struct fingerprints *set, const struct bytes *payload, uint32_t text)
{
    size_t len = text & 0xff;
    return payload->left >= len && memcmp(payload->at, set->pool + (text >> 8), len) == 0;
}

static bool payload_zeros(const struct bytes *payload, uint32_t range)
{
    static const uint8_t zeros[64];
    size_t from = range >> 16, to = range & 0xffff;
    if (payload->left < to)
        return false;
    for (; to - from > sizeof zeros; from += sizeof zeros)
        if (memcmp(payload->at + from, zeros, sizeof zeros) != 0)
            return false;
    return memcmp(payload->at + from, zeros, to - from) == 0;
}

/* Operations of one operand, or none. */
static uint32_t run_one(const struct fingerprints *set, const struct code *c,
    const struct field_values *v, uint32_t x)
{
    switch (c->op) {
    case OP_CONST:
        return c->value;
    case OP_FIELD:
        return v->v[c->value];
    case OP_PAYLOAD8:
        return load_byte(&v->payload, c->value);
    case OP_PAYLOAD16:
        return load_pair(&v->payload, c->value);
    case OP_STARTS:
        return payload_starts(set, &v->payload, c->value);
    case OP_ZEROS:
        return payload_zeros(&v->payload, c->value);
    case OP_NOT:
        return !x;
    case OP_INVERT:
        return ~x;
    case OP_SWAP:
        return __builtin_bswap32(x);
    default:
        assert(0);
        return 0;
    }
}

static uint32_t run_two(uint32_t op, uint32_t x, uint32_t y)
{
    switch (op) {
    case OP_MUL:
        return x * y;
    case OP_ADD:
        return x + y;
    case OP_SUB:
        return x - y;
    case OP_SHL:
        return y < 32 ? x << y : 0;
    case OP_SHR:
        return y < 32 ? x >> y : 0;
    case OP_AND:
        return x & y;
    case OP_XOR:
        return x ^ y;
    case OP_OR:
        return x | y;
    case OP_LT:
        return x < y;
    case OP_LE:
        return x <= y;
    case OP_GT:
        return x > y;
    case OP_GE:
        return x >= y;
    case OP_EQ:
        return x == y;
    case OP_NE:
        return x != y;
    case OP_BOTH:
        return x && y;
    case OP_EITHER:
        return x || y;
    default:
        assert(0);
        return 0;
    }
}

static bool run_program(
    const struct fingerprints *set, const struct program *p, const struct field_values *v)
{
    uint32_t stack[CODE_DEPTH] = {0};
    unsigned top = 0; /* values on the stack; the compiler has checked that they fit */
    const struct code *c = (const struct code *)set->part[PART_CODE].at + p->start;
    for (unsigned i = 0; i < p->length; i++, c++) {
        if (c->op <= OP_ZEROS) {
            stack[top++] = run_one(set, c, v, 0);
        } else if (c->op <= OP_SWAP) {
            stack[top - 1] = run_one(set, c, v, stack[top - 1]);
        } else {
            top--;
            stack[top - 1] = run_two(c->op, stack[top - 1], stack[top]);
        }
    }
    return stack[0];
}

static bool relation_holds(const struct relation *r, const uint32_t *v)
{
    if (r->plain) {
        uint32_t y = v[r->field[0]] ^ v[r->field[1]] ^ v[r->field[2]] ^ v[r->field[3]];
        return (y & r->mask) == r->value;
    }
    uint32_t x = 0;
    for (unsigned i = 0; i < r->count; i++) {
        uint32_t value = v[r->item[i].field];
        if (r->item[i].swap)
            value = __builtin_bswap32(value);
        x ^= value << r->item[i].shift >> r->item[i].right;
    }
    return (x & r->mask) == r->value;
}

/* The parts of a clause after its tests. */
static bool rest_holds(
    const struct fingerprints *set, const struct clause *c, const struct field_values *v)
{
    const struct relation *relation = set->part[PART_RELATION].at;
    const struct program *program = set->part[PART_PROGRAM].at;
    for (unsigned i = c->relation; i < c->relation_end; i++)
        if (!relation_holds(&relation[i], v->v))
            return false;
    for (unsigned i = c->program; i < c->program_end; i++)
        if (!run_program(set, &program[i], v))
            return false;
    return true;
}

static inline bool tests_hold(
    const struct test *test, const struct clause *c, const uint32_t *v)
{
    for (unsigned i = c->test; i < c->test_end; i++)
        if ((v[test[i].field] & test[i].mask) - test[i].low > test[i].range)
            return false;
    return true;
}

bool clause_holds(const struct fingerprints *set, unsigned clause, const struct field_values *v)
{
    const struct clause *c = (const struct clause *)set->part[PART_CLAUSE].at + clause;
    return tests_hold(set->part[PART_TEST].at, c, v->v) && rest_holds(set, c, v);
}

bool clauses_hold(
    const struct fingerprints *set, const struct clauses *c, const struct field_values *v)
{
    for (unsigned i = c->first; i < c->end; i++)
        if (clause_holds(set, i, v))
            return true;
    return false;
}
