/* Why something is tagged, as a name and in words. */
#include "engine/screen/screen_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text of a rule goes into JSON, tables and charts as it is. */
static void what_set(struct tag_reason *r, const char *text)
{
    size_t i = 0;
    for (; text[i] && i + 1 < sizeof r->what; i++) {
        bool plain = text[i] >= ' ' && text[i] <= '~' && text[i] != '"' && text[i] != '\\';
        r->what[i] = plain && text[i] != '\'' ? text[i] : '?';
    }
    r->what[i] = 0;
}

/* "hajime: only 23/tcp(size=40) 5358/tcp(size=40); unless services >= 10". */
static void rule_reason(const struct rule *rule, struct tag_reason *r)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    buf_printf(&text, "%s: ", rule->label);
    for (unsigned i = 0; i < rule->condition_count; i++) {
        buf_str(&text, i ? "; " : "");
        buf_str(&text, rule->condition[i].must_not ? "unless " : "");
        condition_write(&rule->condition[i], &text);
    }
    snprintf(r->name, sizeof r->name, "%s", rule->name);
    what_set(r, text.data ? (const char *)text.data : rule->label);
    buf_done(&text);
}

/* "mirai:23-tcp:40", with the letters of the flags behind it if they are not those of a SYN. */
static void thing_name(thing_key key, const struct words *words, struct tag_reason *r)
{
    char text[THING_TEXT];
    char flags[FLAGS_TEXT];
    struct thing_match only = {.service = thing_service(key), .flags = -1, .any_tool = true};
    thing_match_format(&only, text);
    text[strcspn(text, "/")] = '-';
    flags_format(thing_flags(key), flags);
    int used = snprintf(r->name, sizeof r->name, "%.40s:%.15s:%u", words->word[thing_tool(key)],
        text, thing_size(key));
    for (size_t i = 0; flags[i]; i++)
        flags[i] = (char)(flags[i] - 'A' + 'a');
    if (thing_flags(key) && strcmp(flags, "s") != 0 && used + 10 < (int)sizeof r->name)
        snprintf(r->name + used, sizeof r->name - (size_t)used, ":%s", flags);
}

/* What sources that send the thing send, one thing after the other. */
static void thing_reason(const struct screen *s, const struct settled *t, struct tag_reason *r)
{
    const struct words *words = &s->profiles.words;
    const struct pattern *p = &s->book.list[t->pattern];
    char text[TAG_WHAT];
    char thing[THING_TEXT];
    size_t used = (size_t)snprintf(
        text, sizeof text, "signature of %.63s; pattern: ", words->word[thing_tool(t->key)]);
    for (unsigned i = 0; i < p->key_count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? "; " : "",
            thing_format(p->key[i], words, thing));
    thing_name(t->key, words, r);
    what_set(r, text);
}

enum err screen_reasons_make(struct screen *s, const struct screen_step *step)
{
    struct screen_reasons *all = &s->reasons;
    size_t wanted = s->rules.count + step->settled_count;
    wanted = wanted < SCREEN_REASONS_MAX ? wanted : SCREEN_REASONS_MAX;
    if (wanted > all->room) {
        struct tag_reason *list = realloc(all->list, wanted * sizeof *list);
        if (!list)
            return ERR_NOMEM;
        all->list = list;
        all->room = wanted;
    }
    for (all->count = 0; all->count < wanted; all->count++) {
        struct tag_reason *r = &all->list[all->count];
        if (all->count < s->rules.count)
            rule_reason(&s->rules.list[all->count], r);
        else
            thing_reason(s, &step->settled[all->count - s->rules.count], r);
    }
    return OK;
}
