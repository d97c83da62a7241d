#include "anon/question.h"

#include "base/clock.h"

static const char *const questions[ANON_FIELDS] = {
    [ANON_SOURCE] = "Who sent it? Scanners, infected machines, victims.",
    [ANON_DESTINATION] = "Which of your own addresses was it sent to?",
    [ANON_SOURCE_PORT] = "From which port was it sent?",
    [ANON_DESTINATION_PORT] = "Which service was asked for?",
    [ANON_TIME] = "When did it come?",
    [ANON_PAYLOAD] = "What was in it?",
    [ANON_NUMBERS] = "Header numbers, into which some tools write your address?",
    [ANON_PLACE] = "From which country and network, as your site looks them up?",
    [ANON_DNS] = "Which names were asked for, in logs of resolvers?",
    [ANON_URL] = "Which URLs, in logs of web traffic?",
};

/* What an answer means where it means the same for every field that takes it. */
static const char *const usual[ANON_METHODS] = {
    [ANON_KEEP] = "All of it, as it is.",
    [ANON_PREFIX] = "A pseudonym that keeps the neighbours of an address beside it.",
    [ANON_HASH] = "A pseudonym: the same for the same, until the key changes.",
    [ANON_TRUNCATE] = "Only the network it is in.",
    [ANON_CLASS] = "Only whether it is a well-known, a registered or another port.",
    [ANON_ROUND] = "Rounded down.",
    [ANON_SHIFT] = "All times moved back by one secret step.",
    [ANON_FIRST] = "Only its first bytes; your addresses in them are overwritten.",
    [ANON_LENGTH] = "Only how long it was.",
    [ANON_RELATION] = "Only whether a number was your address.",
    [ANON_COUNTRY] = "Only the country.",
    [ANON_DOMAIN] = "Only what somebody has registered, such as example.co.uk.",
    [ANON_DROP_QUERY] = "Without what follows a question mark.",
    [ANON_PATH_HASH] = "The host, and one pseudonym for the rest.",
    [ANON_HOST] = "Only the host.",
    [ANON_DROP] = "Nothing.",
};

const char *anon_question(enum anon_field field)
{
    return questions[field];
}

const char *anon_answer(enum anon_field field, enum anon_method method)
{
    const struct anon_field_row *row = &anon_fields[field];
    size_t i = 0;
    while (i < row->method_count && row->methods[i] != method)
        i++;
    if (i == row->method_count)
        return NULL;
    if (field == ANON_PAYLOAD && method == ANON_HASH)
        return "Only how long it was, and a pseudonym by which equal ones are known to be "
               "equal.";
    if (field == ANON_DNS && method == ANON_HASH)
        return "A pseudonym for each part; names that end alike still do.";
    return usual[method];
}

struct anon_rule anon_offer(enum anon_field field, enum anon_method method,
    const struct anon_rule *held, const struct anon_wish *wishes, size_t count)
{
    static const struct anon_rule keep = {.method = ANON_KEEP};
    if (held->method == method)
        return *held;
    struct anon_rule r = anon_least(field, method, &keep, wishes, count);
    /* Nothing asks for any of it: then what people would call usual. */
    if (method == ANON_TRUNCATE && !r.ipv4 && !r.ipv6) {
        r.ipv4 = 24;
        r.ipv6 = 48;
    }
    if (method == ANON_FIRST && r.bytes == 1)
        r.bytes = 64;
    if (method == ANON_ROUND && r.us == US_DAY)
        r.us = US_MINUTE;
    return r;
}
