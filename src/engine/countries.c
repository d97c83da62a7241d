#include "engine/countries.h"

#include <stdbool.h>
#include <stddef.h>

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

void countries_add(struct countries *c, const char code[2])
{
    if (is_letter(code[0]) && is_letter(code[1]))
        c->sources[(code[0] - 'a') * 26 + code[1] - 'a']++;
}

uint32_t countries_most(struct countries *c, char ret_code[3])
{
    size_t best = 0;
    for (size_t i = 1; i < sizeof c->sources / sizeof *c->sources; i++)
        best = c->sources[i] > c->sources[best] ? i : best;
    uint32_t sources = c->sources[best];
    c->sources[best] = 0;
    ret_code[0] = (char)('a' + best / 26);
    ret_code[1] = (char)('a' + best % 26);
    ret_code[2] = 0;
    return sources;
}
