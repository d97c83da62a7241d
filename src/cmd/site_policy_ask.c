#include "cmd/site_policy_ask.h"

#include "anon/question.h"
#include "anon/word.h"

#include "base/clock.h"
#include "cmd/views.h"

#include <stdio.h>
#include <string.h>

enum {
    ANSWER_MAX = 128
};

/* A line without its end; "" at the end of the input. */
static void answer_read(char answer[ANSWER_MAX])
{
    if (!fgets(answer, ANSWER_MAX, stdin))
        answer[0] = '\0';
    answer[strcspn(answer, "\r\n")] = '\0';
}

static void methods_print(const struct anon_field_row *row)
{
    for (size_t i = 0; i < row->method_count; i++)
        fprintf(stderr, "%s%s", i ? ", " : "", anon_method_name(row->methods[i]));
}

/* What may leave of one field at most. */
static void field_ask(struct anon_policy *most, enum anon_field field)
{
    char answer[ANSWER_MAX], held[64];
    struct fault f;
    for (;;) {
        anon_rule_word(&most->rule[field], held);
        fprintf(stderr, "%s %s\n  At most: ", anon_fields[field].name, anon_question(field));
        methods_print(&anon_fields[field]);
        fprintf(stderr, " [%s]? ", held);
        answer_read(answer);
        if (!*answer || site_policy_word(most, field, answer, &f) == OK)
            return;
        fprintf(stderr, "  %s\n", f.text);
    }
}

/* Where the site's demand leaves a need unserved: both sides are asked. True: the site lets out
 * more. */
static bool conflict_ask(struct anon_policy *most, const struct anon_loss *loss)
{
    char answer[ANSWER_MAX], more[64], held[64];
    struct anon_rule rule;
    const struct need *need = loss->need;
    if (!anon_rule_for(need, &rule))
        return false;
    anon_rule_word(&rule, more);
    anon_rule_word(&most->rule[need->field], held);
    fprintf(stderr, "%s %s under %s=%s: %s.\n  [k]eep %s and do without, or [a]llow %s [k]? ",
        loss->who, need->vital ? "does not work" : "works in part",
        anon_fields[need->field].name, held, need->without, held, more);
    answer_read(answer);
    if (answer[0] != 'a' && answer[0] != 'A')
        return false;
    most->rule[need->field] = rule;
    return true;
}

/* Each need that is lost is asked about once; an answer may serve several. */
static void conflicts_ask(
    struct anon_policy *most, const struct anon_wish *wishes, size_t count)
{
    struct anon_losses losses;
    anon_losses(most, wishes, count, &losses);
    for (size_t i = 0; i < losses.count; i++) {
        const struct need *need = losses.loss[i].need;
        if (!anon_serves(&most->rule[need->field], need))
            (void)conflict_ask(most, &losses.loss[i]);
    }
}

/* How long a key is used: after that the same address has another pseudonym. */
static void epoch_ask(struct anon_policy *most)
{
    char answer[ANSWER_MAX], held[TIME_TEXT];
    struct fault f;
    for (;;) {
        fprintf(stderr,
            "epoch How long is a key used? With the next one all pseudonyms are others.\n"
            "  never, or 1h to 366d [%s]? ",
            most->epoch ? duration_format(most->epoch, held) : "never");
        answer_read(answer);
        if (!*answer || site_policy_epoch(most, answer, &f) == OK)
            return;
        fprintf(stderr, "  %s\n", f.text);
    }
}

void site_policy_ask_for(struct anon_wish *wishes, size_t *ret_count)
{
    char answer[ANSWER_MAX];
    struct fault f;
    for (;;) {
        fprintf(stderr,
            "What must go on working? Engines and views by name (--list has them), engines, "
            "views, all or none.\n  [%s]? ",
            VIEWS_USUAL);
        answer_read(answer);
        if (wishes_read(*answer ? answer : VIEWS_USUAL, wishes, ret_count, &f) == OK)
            break;
        fprintf(stderr, "  %s\n", f.text);
    }
    fprintf(stderr, "\n");
}

enum err site_policy_ask(const struct anon_policy *start, const struct anon_wish *wishes,
    size_t count, struct anon_policy *ret_policy, struct fault *f)
{
    struct anon_policy most = *start;
    (void)f;
    fprintf(stderr, "What may leave this site at most? An empty line takes what is in "
                    "brackets; methods with a measure: truncate:24,48 first:64 round:1s "
                    "shift:30d\n\n");
    for (enum anon_field field = 0; field < ANON_FIELDS; field++)
        field_ask(&most, field);
    epoch_ask(&most);
    fprintf(stderr, "\n");
    conflicts_ask(&most, wishes, count);
    anon_propose(&most, wishes, count, ret_policy);
    return OK;
}
