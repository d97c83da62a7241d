#include "cmd/screen_review.h"

#include "base/clock.h"
#include "cmd/screen_data.h"
#include "cmd/table.h"
#include "screen/builtin.h"

#include <stdio.h>
#include <string.h>

/* --- list --------------------------------------------------------------------------------- */

static json_t *rule_row(const struct rule *r)
{
    struct buf when;
    char time[TIME_TEXT] = "";
    char held[48] = "";
    buf_init(&when, 1 << 16);
    for (unsigned i = 0; i < r->condition_count; i++) {
        buf_str(&when, i ? "; " : "");
        buf_str(&when, r->condition[i].must_not ? "not " : "");
        condition_write(&r->condition[i], &when);
    }
    if (r->held_out)
        snprintf(held, sizeof held, "%u of %u", r->right, r->held_out);
    if (r->accepted)
        time_format(r->accepted, time);
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:o}", "rule", r->name,
        "label", r->label, "tag", r->tag < TAG_COUNT ? tag_name(r->tag) : "", "when",
        when.data ? (const char *)when.data : "", "support", (json_int_t)r->support, "held_out",
        held, "accepted", time, "by", json_text(r->who, strlen(r->who)));
    buf_done(&when);
    return row;
}

enum err screen_review_list(const struct conf *conf, struct fault *f)
{
    struct rules rules;
    const char *path = conf_text(conf, "rules");
    rules_init(&rules);
    enum err e = path ? rules_read_file(&rules, path, f) : rules_builtin(&rules, f);
    if (path && e == ERR_NOTFOUND)
        fault_prefix(f, "--rules");
    json_t *rows = json_array();
    for (size_t i = 0; !e && i < rules.count; i++)
        json_array_append_new(rows, rule_row(&rules.list[i]));
    table_rows(stdout, rows, conf_flag(conf, "json"));
    json_decref(rows);
    rules_done(&rules);
    return e;
}

/* --- accept ------------------------------------------------------------------------------- */

static bool is_chosen(const struct conf *conf, const char *name)
{
    const char *const *names;
    size_t count = conf_list(conf, "rule", &names);
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return !count;
}

/* A name that was mistyped would leave out a rule unseen. */
static enum err chosen_check(
    const struct conf *conf, const struct rules *proposed, const char *path, struct fault *f)
{
    const char *const *names;
    size_t count = conf_list(conf, "rule", &names);
    for (size_t i = 0; i < count; i++)
        if (!rules_find(proposed, names[i]))
            return fault_set(f, ERR_NOTFOUND, "%s: there is no rule %.63s", path, names[i]);
    return OK;
}

static enum err texts_check(const struct conf *conf, struct fault *f)
{
    static const char *const options[] = {"by", "because"};
    for (size_t i = 0; i < 2; i++) {
        const char *text = conf_text(conf, options[i]);
        for (const char *at = text ? text : ""; *at; at++)
            if ((unsigned char)*at < ' ' || *at == 0x7f)
                return fault_set(f, ERR_BAD, "--%s: a control character", options[i]);
    }
    const char *who = conf_text(conf, "by");
    return who && who[strspn(who, " ")]
               ? OK
               : fault_set(f, ERR_BAD, "--accept needs --by: who has reviewed the rules?");
}

static enum err take_over(const struct conf *conf, const struct rules *proposed,
    struct rules *active, size_t *ret_taken, struct fault *f)
{
    struct clock wall = clock_system();
    const char *why = conf_text(conf, "because");
    for (size_t i = 0; i < proposed->count; i++) {
        struct rule r = proposed->list[i];
        if (!is_chosen(conf, r.name))
            continue;
        r.accepted = clock_now(&wall);
        snprintf(r.who, sizeof r.who, "%s", conf_text(conf, "by"));
        snprintf(r.why, sizeof r.why, "%s", why ? why : "");
        enum err e = rules_add(active, &r);
        if (e)
            return fault_set(f, e, "rule %s: %s", r.name,
                e == ERR_EXISTS ? "a rule of this name acts already" : err_text(e));
        ++*ret_taken;
    }
    return OK;
}

enum err screen_review_accept(const struct conf *conf, struct fault *f)
{
    const char *from = conf_text(conf, "accept");
    const char *to = conf_text(conf, "rules");
    struct rules proposed, active;
    struct buf text;
    size_t taken = 0;
    rules_init(&proposed);
    rules_init(&active);
    buf_init(&text, RULES_FILE_MAX);
    enum err e = to ? texts_check(conf, f)
                    : fault_set(f, ERR_BAD, "--accept needs --rules FILE: the rules that act");
    if (!e)
        e = rules_read_file(&proposed, from, f);
    if (!e)
        e = rules_read_file(&active, to, f);
    if (e == ERR_NOTFOUND && proposed.count)
        e = OK; /* the first that are accepted */
    if (!e)
        e = chosen_check(conf, &proposed, from, f);
    if (!e)
        e = take_over(conf, &proposed, &active, &taken, f);
    if (!e) {
        rules_write(&active, &text);
        e = screen_file_write(to, &text, f);
    }
    if (!e)
        fprintf(stderr, "%zu rules accepted, %zu act: %s\n", taken, active.count, to);
    buf_done(&text);
    rules_done(&proposed);
    rules_done(&active);
    return e;
}
