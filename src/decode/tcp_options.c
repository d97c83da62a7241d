#include "decode/tcp_options.h"

#include <stddef.h>
#include <string.h>

static const char *const names[16] = {
#define X(kind, code, name) [code] = name,
    TCP_OPTION_LIST(X)
#undef X
        [TCP_OPTION_CODE_OTHER] = "?",
};

const uint8_t tcp_option_below_other[256] = {
#define X(kind, code, name) [kind] = TCP_OPTION_CODE_OTHER - (code),
    TCP_OPTION_LIST(X)
#undef X
};

static uint32_t code_named(const char *word, size_t len)
{
    for (uint32_t code = 1; code < 16; code++) {
        if (names[code] && strlen(names[code]) == len && memcmp(names[code], word, len) == 0)
            return code;
    }
    return 0;
}

enum err tcp_options_parse(const char *text, uint32_t *ret_digest)
{
    uint32_t digest = 0;
    if (strcmp(text, "-") == 0) {
        *ret_digest = 0;
        return OK;
    }
    for (;;) {
        size_t len = strcspn(text, ",");
        uint32_t code = code_named(text, len);
        if (!code || digest >> 28)
            return ERR_BAD;
        digest = digest << 4 | code;
        if (!text[len])
            break;
        text += len + 1;
    }
    *ret_digest = digest;
    return OK;
}
