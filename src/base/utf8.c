#include "base/utf8.h"

size_t utf8_sequence(const uint8_t *p, size_t left)
{
    static const struct {
        uint8_t first_least, first_most, second_least, second_most, len;
    } rows[] = {
        {0x00, 0x7f, 0x80, 0xbf, 1},
        {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (p[0] < rows[i].first_least || p[0] > rows[i].first_most)
            continue;
        if (rows[i].len > left)
            return 0;
        for (size_t k = 1; k < rows[i].len; k++) {
            uint8_t least = k == 1 ? rows[i].second_least : 0x80;
            uint8_t most = k == 1 ? rows[i].second_most : 0xbf;
            if (p[k] < least || p[k] > most)
                return 0;
        }
        return rows[i].len;
    }
    return 0;
}

bool utf8_is_control(const uint8_t *p, size_t len)
{
    if (len == 1)
        return *p < 0x20 || *p == 0x7f;
    if (len == 2)
        return p[0] == 0xc2 && p[1] < 0xa0;
    if (len != 3 || p[0] != 0xe2)
        return false;
    bool marks =
        p[1] == 0x80 && (p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae));
    bool isolates = p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9;
    return marks || isolates;
}
