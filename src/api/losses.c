#include "api/losses_int.h"

json_t *loss_json(const struct anon_loss *loss)
{
    char text[128];
    return json_pack("{s:s, s:s, s:b, s:s}", "who", loss->who, "needs",
        need_format(loss->need, text), "vital", (int)loss->need->vital, "without",
        loss->need->without);
}

json_t *loss_remedy_json(const struct anon_loss *loss)
{
    struct anon_rule rule;
    json_t *row = loss_json(loss);
    json_object_set_new(row, "field", json_string(anon_fields[loss->need->field].name));
    json_object_set_new(
        row, "allow", anon_rule_for(loss->need, &rule) ? anon_rule_json(&rule) : json_null());
    return row;
}

/* Needs are rows of tables, so the same one is at the same place. */
static bool holds(const struct anon_losses *losses, const struct anon_loss *loss)
{
    size_t i = 0;
    while (i < losses->count && losses->loss[i].need != loss->need)
        i++;
    return i < losses->count;
}

json_t *losses_json(const struct api_parts *parts, const struct anon_policy *policy,
    const struct anon_policy *before)
{
    struct anon_wish wishes[ANON_WISHES_MAX];
    struct anon_losses now, then = {.count = 0};
    size_t count = 0;
    json_t *rows = json_array();
    for (size_t i = 0; i < parts->analysis_count; i++)
        if (parts->analyses[i].usual)
            wishes[count++] =
                (struct anon_wish){parts->analyses[i].name, parts->analyses[i].needs};
    anon_losses(policy, wishes, count, &now);
    if (before)
        anon_losses(before, wishes, count, &then);
    for (size_t i = 0; i < now.count; i++)
        if (!holds(&then, &now.loss[i]))
            json_array_append_new(rows, loss_remedy_json(&now.loss[i]));
    return rows;
}
