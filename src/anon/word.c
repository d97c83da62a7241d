#include "anon/word.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A number where it is one; what is none stays text, which the reader of documents refuses. */
static json_t *number_json(const char *text)
{
    bool digits = *text && strlen(text) < 10 && strspn(text, "0123456789") == strlen(text);
    return digits ? json_integer(strtol(text, NULL, 10)) : json_text(text, strlen(text));
}

/* "24,48", or "24" alone. */
static void truncate_put(json_t *rule, const char *measure)
{
    char first[32];
    const char *comma = strchr(measure, ',');
    size_t len = comma ? (size_t)(comma - measure) : strlen(measure);
    snprintf(first, sizeof first, "%.*s", (int)len, measure);
    json_t *ipv4 = number_json(first);
    json_object_set_new(rule, "ipv6",
        comma                   ? number_json(comma + 1)
        : json_is_integer(ipv4) ? json_integer(2 * json_integer_value(ipv4))
                                : json_incref(ipv4));
    json_object_set_new(rule, "ipv4", ipv4);
}

json_t *anon_word_json(const char *word)
{
    const char *colon = strchr(word, ':');
    if (!colon)
        return json_text(word, strlen(word));
    json_t *rule = json_object();
    size_t len = (size_t)(colon - word);
    char method[32];
    snprintf(method, sizeof method, "%.*s", (int)len, word);
    json_object_set_new(rule, "method", json_text(method, strlen(method)));
    if (strcmp(method, anon_method_name(ANON_TRUNCATE)) == 0)
        truncate_put(rule, colon + 1);
    else if (strcmp(method, anon_method_name(ANON_FIRST)) == 0)
        json_object_set_new(rule, "bytes", number_json(colon + 1));
    else
        json_object_set_new(rule,
            strcmp(method, anon_method_name(ANON_SHIFT)) == 0 ? "most" : "to",
            json_text(colon + 1, strlen(colon + 1)));
    return rule;
}

const char *anon_rule_word(const struct anon_rule *r, char word[ANON_WORD])
{
    char step[TIME_TEXT];
    const char *name = anon_method_name(r->method);
    if (r->method == ANON_TRUNCATE)
        snprintf(word, ANON_WORD, "%s:%u,%u", name, r->ipv4, r->ipv6);
    else if (r->method == ANON_FIRST)
        snprintf(word, ANON_WORD, "%s:%u", name, r->bytes);
    else if (r->method == ANON_ROUND || r->method == ANON_SHIFT)
        snprintf(word, ANON_WORD, "%s:%s", name, duration_format(r->us, step));
    else
        snprintf(word, ANON_WORD, "%s", name);
    return word;
}
