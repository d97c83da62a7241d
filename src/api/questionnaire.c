#include "api/handler_int.h"

#include "anon/question.h"
#include "api/api_int.h"
#include "api/losses_int.h"

#include <string.h>

/* The questionnaire about a site's anonymisation policy: what is asked, what each answer makes
 * impossible, and the least revealing policy that still serves. What it comes to is put into
 * the site's document like every other change of it. */

/* ---- what can be asked to go on working ---- */

static json_t *need_json(const struct need *need)
{
    char text[128];
    return json_pack("{s:s, s:s, s:b, s:s}", "field", anon_fields[need->field].name, "needs",
        need_format(need, text), "vital", (int)need->vital, "without", need->without);
}

static json_t *analysis_json(const struct api_analysis *a)
{
    json_t *needs = json_array();
    for (const struct need *need = a->needs; need && need->without; need++)
        json_array_append_new(needs, need_json(need));
    return json_pack("{s:s, s:s, s:s, s:b, s:o}", "name", a->name, "kind",
        a->view ? "view" : "engine", "text", a->text, "usual", (int)a->usual, "needs", needs);
}

enum err handle_questionnaire(struct request *r)
{
    const struct api_parts *p = &r->api->parts;
    json_t *analyses = json_array();
    json_t *fields = json_array();
    for (size_t i = 0; i < p->analysis_count; i++)
        json_array_append_new(analyses, analysis_json(&p->analyses[i]));
    for (enum anon_field field = 0; field < ANON_FIELDS; field++)
        json_array_append_new(fields, json_pack("{s:s, s:s}", "field", anon_fields[field].name,
                                          "question", anon_question(field)));
    reply_json(r, 200, json_pack("{s:o, s:o}", "analyses", analyses, "fields", fields));
    return OK;
}

/* "surge,victims" -> wishes. ERR_BAD: the reply holds the problem. */
static enum err wishes_take(struct request *r, struct anon_wish *wishes, size_t *ret_count)
{
    const struct api_parts *p = &r->api->parts;
    size_t count = 0;
    for (const char *at = arg(r, B_SERVE)->text; *at;) {
        size_t len = strcspn(at, ",");
        size_t i = 0;
        while (i < p->analysis_count && (strlen(p->analyses[i].name) != len ||
                                            strncmp(p->analyses[i].name, at, len) != 0))
            i++;
        if (i == p->analysis_count || count == ANON_WISHES_MAX) {
            reply_problem(r, 400, "serve", "names that GET /anonymisation lists",
                "there is no engine or view \"%.*s\"", (int)len, at);
            return ERR_BAD;
        }
        wishes[count++] = (struct anon_wish){p->analyses[i].name, p->analyses[i].needs};
        at += len + (at[len] == ',');
    }
    *ret_count = count;
    return OK;
}

/* ---- what an answer comes to ---- */

struct asked {
    struct anon_policy most;     /* what the site lets out at most */
    struct anon_policy proposed; /* the least of that which serves as well */
    struct anon_wish wishes[ANON_WISHES_MAX];
    size_t count;
    struct anon_losses losses; /* under what is proposed */
};

/* What would not work if this were the most that leaves of one field. */
static json_t *answer_json(
    const struct asked *a, enum anon_field field, const struct anon_rule *rule)
{
    struct anon_policy p;
    struct anon_losses losses;
    json_t *rows = json_array();
    anon_policy_open(&p);
    p.rule[field] = *rule;
    anon_losses(&p, a->wishes, a->count, &losses);
    for (size_t i = 0; i < losses.count; i++)
        json_array_append_new(rows, loss_json(&losses.loss[i]));
    return json_pack("{s:s, s:s, s:o, s:o}", "method", anon_method_name(rule->method), "text",
        anon_answer(field, rule->method), "rule", anon_rule_json(rule), "losses", rows);
}

static json_t *field_json(const struct asked *a, enum anon_field field)
{
    const struct anon_field_row *row = &anon_fields[field];
    const struct anon_rule *most = &a->most.rule[field];
    json_t *answers = json_array();
    for (size_t i = 0; i < row->method_count; i++) {
        struct anon_rule rule = anon_offer(field, row->methods[i], most, a->wishes, a->count);
        json_array_append_new(answers, answer_json(a, field, &rule));
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "field", row->name, "question",
        anon_question(field), "method", anon_method_name(most->method), "most",
        anon_rule_json(most), "proposed", anon_rule_json(&a->proposed.rule[field]), "answers",
        answers);
}

static json_t *asked_json(const struct asked *a)
{
    json_t *fields = json_array();
    json_t *conflicts = json_array();
    for (enum anon_field field = 0; field < ANON_FIELDS; field++)
        json_array_append_new(fields, field_json(a, field));
    for (size_t i = 0; i < a->losses.count; i++)
        json_array_append_new(conflicts, loss_remedy_json(&a->losses.loss[i]));
    return json_pack("{s:o, s:o, s:o}", "policy", anon_policy_json(&a->proposed), "fields",
        fields, "conflicts", conflicts);
}

enum err handle_propose(struct request *r)
{
    struct asked a = {.count = 0};
    json_t *body = json_loadb((const char *)r->body.data, r->body.len, 0, NULL);
    enum err e = anon_policy_read(&a.most, json_object_get(body, "most"), &r->fault);
    json_decref(body);
    if (e) {
        reply_problem(r, 400, "most", NULL, "%s", r->fault.text);
        return OK;
    }
    if (wishes_take(r, a.wishes, &a.count) != OK)
        return OK;
    anon_propose(&a.most, a.wishes, a.count, &a.proposed);
    anon_losses(&a.proposed, a.wishes, a.count, &a.losses);
    reply_json(r, 200, asked_json(&a));
    return OK;
}
