#include "record/proto.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    uint8_t proto;
    char name[PROTO_TEXT];
} words[] = {
    {PROTO_TCP, "tcp"},
    {PROTO_UDP, "udp"},
    {PROTO_ICMP, "icmp"},
    {PROTO_ICMPV6, "icmpv6"},
};

enum {
    WORDS = sizeof words / sizeof *words
};

const char *proto_format(uint8_t proto, char text[PROTO_TEXT])
{
    for (size_t i = 0; i < WORDS; i++)
        if (words[i].proto == proto)
            return memcpy(text, words[i].name, PROTO_TEXT);
    snprintf(text, PROTO_TEXT, "%u", proto);
    return text;
}

enum err proto_parse(const char *text, uint8_t *ret_proto)
{
    for (size_t i = 0; i < WORDS; i++)
        if (strcmp(words[i].name, text) == 0) {
            *ret_proto = words[i].proto;
            return OK;
        }
    size_t len = strlen(text);
    if (len < 1 || len > 3 || strspn(text, "0123456789") != len || (len > 1 && *text == '0'))
        return ERR_BAD;
    unsigned long number = strtoul(text, NULL, 10);
    if (number > UINT8_MAX)
        return ERR_BAD;
    *ret_proto = (uint8_t)number;
    return OK;
}
