#include "cmd/views.h"

#include "base/clock.h"
#include "cmd/engines.h"

#include <stdio.h>
#include <string.h>

#define END                                                                                    \
    {                                                                                          \
        .without = NULL                                                                        \
    }

static const struct need alerts_needs[] = {
    {.field = NEED_TIME,
        .relations = NEED_VALUE,
        .resolution = US_MINUTE,
        .vital = true,
        .without = "a warning does not say when"},
    {.field = NEED_DESTINATION_PORT,
        .relations = NEED_VALUE,
        .vital = true,
        .without = "a warning does not say which service"},
    {.field = NEED_SOURCE,
        .relations = NEED_EQUAL,
        .vital = true,
        .without = "a warning does not say how many hosts"},
    {.field = NEED_PLACE,
        .relations = NEED_PART,
        .without = "a warning does not say from which countries"},
    END,
};

static const struct need countries_needs[] = {
    {.field = NEED_PLACE,
        .relations = NEED_PART,
        .vital = true,
        .without = "there is no map and no view of one's own country"},
    {.field = NEED_SOURCE,
        .relations = NEED_EQUAL,
        .without = "sources of a country cannot be counted"},
    END,
};

static const struct need networks_needs[] = {
    {.field = NEED_PLACE,
        .relations = NEED_VALUE,
        .vital = true,
        .without = "networks are not told apart"},
    END,
};

static const struct need sources_needs[] = {
    {.field = NEED_SOURCE,
        .relations = NEED_VALUE | NEED_ACROSS,
        .vital = true,
        .without = "no source can be looked up, and one that several sites see is several"},
    END,
};

static const struct need victims_needs[] = {
    {.field = NEED_SOURCE,
        .relations = NEED_VALUE,
        .vital = true,
        .without = "nobody knows who is attacked"},
    {.field = NEED_SOURCE_PORT,
        .relations = NEED_VALUE,
        .without = "nobody knows which service of a victim is attacked"},
    END,
};

static const struct need reports_needs[] = {
    {.field = NEED_SOURCE,
        .relations = NEED_VALUE,
        .vital = true,
        .without = "no owner can be told of an infected host"},
    {.field = NEED_TIME,
        .relations = NEED_VALUE,
        .resolution = US_SECOND,
        .without = "behind an address that many share the host cannot be found"},
    {.field = NEED_SOURCE_PORT,
        .relations = NEED_VALUE,
        .without = "behind an address that many share the host cannot be found"},
    END,
};

static const struct need payloads_needs[] = {
    {.field = NEED_PAYLOAD,
        .relations = NEED_PART | NEED_EQUAL,
        .bytes = 64,
        .vital = true,
        .without = "what was sent cannot be read"},
    END,
};

static const struct need same_payload_needs[] = {
    {.field = NEED_PAYLOAD,
        .relations = NEED_EQUAL,
        .vital = true,
        .without = "equal payloads are not known to be equal"},
    END,
};

static const struct need order_needs[] = {
    {.field = NEED_DESTINATION,
        .relations = NEED_PREFIX | NEED_EQUAL,
        .vital = true,
        .without = "in which order a telescope is scanned is not known"},
    END,
};

static const struct need dns_needs[] = {
    {.field = NEED_DNS,
        .relations = NEED_EQUAL | NEED_PREFIX,
        .vital = true,
        .without = "names that come again and again cannot be found"},
    {.field = NEED_SOURCE,
        .relations = NEED_EQUAL,
        .vital = true,
        .without = "clients cannot be told apart"},
    {.field = NEED_TIME,
        .relations = NEED_ORDER,
        .resolution = US_SECOND,
        .vital = true,
        .without = "how often a client asks is not known"},
    END,
};

static const struct need urls_needs[] = {
    {.field = NEED_URL,
        .relations = NEED_PART,
        .vital = true,
        .without = "servers that hand out malware are not known"},
    END,
};

const struct view views[] = {
    {"alerts", "Warnings as they happen.", alerts_needs},
    {"countries", "The map, tables of countries, and one's own country.", countries_needs},
    {"networks", "Tables of networks (ASN).", networks_needs},
    {"sources", "Tables of sources, and the history of one.", sources_needs},
    {"victims", "Victims of attacks, by what they answer.", victims_needs},
    {"reports", "Reports to the owner of an address.", reports_needs},
    {"payloads", "What packets carry.", payloads_needs},
    {"same-payload", "Sources that send the same.", same_payload_needs},
    {"scan-order", "In which order a telescope's addresses are tried.", order_needs},
    {"dns", "Periodic names in logs of resolvers.", dns_needs},
    {"urls", "Servers from which malware is fetched.", urls_needs},
    {0},
};

static enum err unknown(const char *name, size_t len, struct fault *f)
{
    char names[400] = "";
    size_t used = 0;
    for (const struct engine *const *e = engines_all(); *e && used < sizeof names; e++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s, ", (*e)->name);
    for (const struct view *v = views; v->name && used < sizeof names; v++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s, ", v->name);
    return fault_set(f, ERR_NOTFOUND,
        "there is no engine or view \"%.*s\"; there are %.300sengines, views and all", (int)len,
        name, names);
}

static bool is(const char *name, size_t len, const char *word)
{
    return strlen(word) == len && strncmp(name, word, len) == 0;
}

/* Those that one word names. */
static size_t add(const char *name, size_t len, struct anon_wish *wishes, size_t count)
{
    bool all = is(name, len, "all");
    for (const struct engine *const *e = engines_all(); *e && count < ANON_WISHES_MAX; e++)
        if (all || is(name, len, "engines") || is(name, len, (*e)->name))
            wishes[count++] = (struct anon_wish){(*e)->name, (*e)->needs};
    for (const struct view *v = views; v->name && count < ANON_WISHES_MAX; v++)
        if (all || is(name, len, "views") || is(name, len, v->name))
            wishes[count++] = (struct anon_wish){v->name, v->needs};
    return count;
}

enum err wishes_read(
    const char *names, struct anon_wish *ret_wishes, size_t *ret_count, struct fault *f)
{
    size_t count = 0;
    for (;;) {
        size_t len = strcspn(names, ",");
        size_t before = count;
        count = add(names, len, ret_wishes, count);
        if (count == before && !is(names, len, "none"))
            return unknown(names, len, f);
        if (!names[len])
            break;
        names += len + 1;
    }
    *ret_count = count;
    return OK;
}

static bool is_usual(const char *name, bool view)
{
    static const char usual[] = "," VIEWS_USUAL ",";
    char word[80];
    snprintf(word, sizeof word, ",%s,", view ? name : "engines");
    return strstr(usual, word) != NULL;
}

size_t analyses_all(struct api_analysis ret_analyses[ANON_WISHES_MAX])
{
    size_t count = 0;
    for (const struct engine *const *e = engines_all(); *e && count < ANON_WISHES_MAX; e++)
        ret_analyses[count++] = (struct api_analysis){.name = (*e)->name,
            .text = (*e)->text,
            .usual = is_usual((*e)->name, false),
            .needs = (*e)->needs};
    for (const struct view *v = views; v->name && count < ANON_WISHES_MAX; v++)
        ret_analyses[count++] = (struct api_analysis){.name = v->name,
            .text = v->text,
            .view = true,
            .usual = is_usual(v->name, true),
            .needs = v->needs};
    return count;
}
