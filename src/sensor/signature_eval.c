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
    size_t from = range >> 16, to = range & 0xffff;
    if (payload->left < to)
        return false;
    for (size_t i = from; i < to; i++)
        if (payload->at[i])
            return false;
    return true;
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

static bool run_code(
    const struct fingerprints *set, const struct term *t, const struct field_values *v)
{
    uint32_t stack[CODE_DEPTH];
    unsigned top = 0; /* values on the stack; the compiler has checked that they fit */
    const struct code *c = set->code + t->mask;
    for (unsigned i = 0; i < t->length; i++, c++) {
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

static bool xor_holds(const struct term *t, const struct field_values *v)
{
    uint32_t x = v->v[t->field[0]] ^ v->v[t->field[1]];
    for (unsigned i = 2; i < t->count; i++)
        x ^= v->v[t->field[i]];
    return (x & t->mask) == t->value;
}

static bool term_holds(
    const struct fingerprints *set, const struct term *t, const struct field_values *v)
{
    uint32_t x = v->v[t->field[0]] & t->mask;
    switch (t->kind) {
    case TERM_EQ:
        return x == t->value;
    case TERM_NE:
        return x != t->value;
    case TERM_LT:
        return x < t->value;
    case TERM_LE:
        return x <= t->value;
    case TERM_GT:
        return x > t->value;
    case TERM_GE:
        return x >= t->value;
    case TERM_XOR:
        return xor_holds(t, v);
    default:
        return run_code(set, t, v);
    }
}

bool conjunction_holds(
    const struct fingerprints *set, const struct conjunction *c, const struct field_values *v)
{
    const struct term *t = set->term + c->first;
    for (uint32_t i = 0; i < c->count; i++, t++)
        if (!term_holds(set, t, v))
            return false;
    return true;
}
