#include "screen/thing.h"

#include "engine/service.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char flag_letters[] = "FSRPAUEC";

void words_init(struct words *w)
{
    *w = (struct words){.count = 1};
}

uint8_t words_find(const struct words *w, const char *word)
{
    uint8_t i = 0;
    while (i < w->count && strcmp(w->word[i], word) != 0)
        i++;
    return i < w->count ? i : WORDS_MAX;
}

uint8_t words_number(struct words *w, const char *word)
{
    uint8_t i = words_find(w, word);
    if (i < WORDS_MAX)
        return i;
    if (w->count == WORDS_MAX)
        return WORDS_MAX - 1;
    snprintf(w->word[w->count], sizeof w->word[0], "%s", word);
    return w->count++;
}

thing_key thing_make(uint32_t service, double size, uint8_t tool, uint8_t flags)
{
    assert(service < SERVICES && tool < WORDS_MAX && size >= 0.0);
    double steps = size > THING_SIZE_MOST ? 255.0 : size / THING_SIZE_STEP;
    thing_key units = (thing_key)steps;
    units += (double)units < steps;
    return service | units << 18 | (thing_key)tool << 26 | (thing_key)flags << 32;
}

bool thing_allowed(thing_key t)
{
    return t < (thing_key)1 << 40 && thing_service(t) < SERVICES;
}

const char *flags_format(uint8_t flags, char text[FLAGS_TEXT])
{
    char *at = text;
    for (unsigned i = 0; i < 8; i++)
        if (flags >> i & 1)
            *at++ = flag_letters[i];
    *at = 0;
    return text;
}

/* "23/tcp", "icmp/8", "icmpv6/128", "proto/47". */
static void service_word(uint32_t service, char *text, size_t room)
{
    uint8_t proto = service_proto(service);
    unsigned port = service_port(service);
    if (service < SERVICE_ICMP)
        snprintf(text, room, "%u/%s", port, proto == PROTO_TCP ? "tcp" : "udp");
    else if (service < SERVICE_OTHER)
        snprintf(text, room, "%s/%u", proto == PROTO_ICMP ? "icmp" : "icmpv6", port);
    else
        snprintf(text, room, "proto/%u", proto);
}

static bool number_parse(const char *text, size_t len, unsigned most, unsigned *ret_value)
{
    unsigned long value = 0;
    if (!len || len > 5)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (unsigned long)(text[i] - '0');
    }
    *ret_value = (unsigned)value;
    return value <= most;
}

static bool service_parse(const char *text, size_t len, uint32_t *ret_service)
{
    const char *slash = memchr(text, '/', len);
    if (!slash)
        return false;
    size_t left = (size_t)(slash - text);
    const char *after = slash + 1;
    size_t right = len - left - 1;
    const struct {
        const char *word;
        uint32_t base;
        unsigned most;
    } typed[] = {{"icmp", SERVICE_ICMP, 255}, {"icmpv6", SERVICE_ICMPV6, 255},
        {"proto", SERVICE_OTHER, 255}};
    unsigned number;
    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++)
        if (left == strlen(typed[i].word) && memcmp(text, typed[i].word, left) == 0) {
            if (!number_parse(after, right, typed[i].most, &number))
                return false;
            *ret_service = typed[i].base + number;
            return true;
        }
    bool tcp = right == 3 && memcmp(after, "tcp", 3) == 0;
    bool udp = right == 3 && memcmp(after, "udp", 3) == 0;
    if ((!tcp && !udp) || !number_parse(text, left, 65535, &number))
        return false;
    *ret_service = service_of(tcp ? PROTO_TCP : PROTO_UDP, (uint16_t)number);
    return true;
}

static bool flags_parse(const char *text, size_t len, int16_t *ret_flags)
{
    unsigned flags = 0;
    int last = -1;
    for (size_t i = 0; i < len; i++) {
        const char *at = strchr(flag_letters, text[i]);
        if (!at || !*at || at - flag_letters <= last)
            return false;
        last = (int)(at - flag_letters);
        flags |= 1u << last;
    }
    *ret_flags = (int16_t)flags;
    return true;
}

static bool tool_parse(const char *text, size_t len, struct thing_match *m)
{
    if (len > RECORD_NAME_MAX || !m->any_tool)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789._:-", text[i]) || !text[i])
            return false;
    memcpy(m->tool, text, len);
    m->tool[len] = 0;
    m->any_tool = false;
    return true;
}

/* One of "size=40", "flags=S", "tool=mirai", each once. */
static bool part_parse(const char *text, size_t len, struct thing_match *m)
{
    unsigned number;
    if (len > 5 && memcmp(text, "size=", 5) == 0) {
        if (m->size || !number_parse(text + 5, len - 5, THING_SIZE_MOST, &number) || !number ||
            number % THING_SIZE_STEP)
            return false;
        m->size = (uint16_t)number;
        return true;
    }
    if (len >= 6 && memcmp(text, "flags=", 6) == 0)
        return m->flags < 0 && flags_parse(text + 6, len - 6, &m->flags);
    return len >= 5 && memcmp(text, "tool=", 5) == 0 && tool_parse(text + 5, len - 5, m);
}

enum err thing_match_parse(const char *text, struct thing_match *ret_match, struct fault *f)
{
    struct thing_match m = {.flags = -1, .any_tool = true};
    size_t len = strcspn(text, "(");
    bool good = service_parse(text, len, &m.service);
    if (good && text[len]) {
        size_t end = strlen(text);
        good = text[end - 1] == ')';
        for (size_t at = len + 1; good && at < end;) {
            size_t part = strcspn(text + at, ",)");
            good = part_parse(text + at, part, &m) &&
                   (text[at + part] == ',') == (at + part + 1 < end);
            at += part + 1;
        }
    }
    if (!good)
        return fault_set(f, ERR_BAD,
            "\"%.80s\" is not a thing such as 23/tcp, icmp/8 or "
            "23/tcp(size=40,flags=S,tool=mirai); "
            "sizes are multiples of 4 up to %d, flags letters of %s in this order",
            text, THING_SIZE_MOST, flag_letters);
    *ret_match = m;
    return OK;
}

const char *thing_match_format(const struct thing_match *m, char text[THING_TEXT])
{
    char flags[FLAGS_TEXT];
    service_word(m->service, text, THING_TEXT);
    const char *join = "(";
    size_t used = strlen(text);
    if (m->size) {
        used += (size_t)snprintf(text + used, THING_TEXT - used, "%ssize=%u", join, m->size);
        join = ",";
    }
    if (m->flags >= 0) {
        used += (size_t)snprintf(text + used, THING_TEXT - used, "%sflags=%s", join,
            flags_format((uint8_t)m->flags, flags));
        join = ",";
    }
    if (!m->any_tool) {
        used += (size_t)snprintf(text + used, THING_TEXT - used, "%stool=%s", join, m->tool);
        join = ",";
    }
    if (*join == ',')
        snprintf(text + used, THING_TEXT - used, ")");
    return text;
}

struct thing_match thing_match_of(thing_key t, const struct words *words)
{
    uint8_t proto = service_proto(thing_service(t));
    struct thing_match m = {.service = thing_service(t),
        .size = thing_size(t),
        .flags = proto == PROTO_TCP ? thing_flags(t) : -1};
    snprintf(m.tool, sizeof m.tool, "%s", words->word[thing_tool(t)]);
    return m;
}

bool thing_matches(const struct thing_match *m, thing_key t, const struct words *words)
{
    return m->service == thing_service(t) && (!m->size || m->size == thing_size(t)) &&
           (m->flags < 0 || m->flags == thing_flags(t)) &&
           (m->any_tool || strcmp(m->tool, words->word[thing_tool(t)]) == 0);
}

const char *thing_format(thing_key t, const struct words *words, char text[THING_TEXT])
{
    char service[SERVICE_TEXT];
    char flags[FLAGS_TEXT];
    const char *tool = words->word[thing_tool(t)];
    uint8_t set = thing_flags(t);
    bool plain =
        set == 2 || service_proto(thing_service(t)) != PROTO_TCP; /* a SYN needs no word */
    snprintf(text, THING_TEXT, "%s, %u bytes%s%s%s%s",
        service_format(thing_service(t), service), thing_size(t), plain ? "" : ", flags ",
        plain ? "" : flags_format(set, flags), *tool ? ", " : "", tool);
    return text;
}
