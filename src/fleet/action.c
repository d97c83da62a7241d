#include "fleet/action.h"

#include "base/clock.h"

#include <assert.h>
#include <string.h>

static const char *const names[SITE_ACTION_KINDS] = {
#define X(id, word, sentence) [id] = word,
    SITE_ACTIONS(X)
#undef X
};

const char *site_action_name(enum site_action_kind k)
{
    assert(k < SITE_ACTION_KINDS);
    return names[k];
}

/* Only what is kizashi's own, and nothing that systemctl could take for an option or a path. */
static bool is_service(const char *service)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_@.";
    return strncmp(service, "kizashi", 7) == 0 && strlen(service) < SITE_ACTION_SERVICE &&
           strspn(service, letters) == strlen(service) && !strstr(service, "..");
}

enum err site_action_parse(
    const char *word, const char *service, struct site_action *ret_action, struct fault *f)
{
    struct site_action a = {.kind = ACTION_RESTART};
    while (a.kind < SITE_ACTION_KINDS && strcmp(names[a.kind], word) != 0)
        a.kind++;
    if (a.kind == SITE_ACTION_KINDS)
        return fault_set(
            f, ERR_BAD, "\"%.40s\" is no action: restart, upgrade or reboot", word);
    if (a.kind == ACTION_RESTART && !is_service(service))
        return fault_set(f, ERR_BAD,
            "restart needs a service of kizashi, such as kizashi-sensor, not \"%.60s\"",
            service);
    if (a.kind != ACTION_RESTART && service[0])
        return fault_set(f, ERR_BAD, "%s takes no service", word);
    memcpy(a.service, service, strlen(service) + 1);
    *ret_action = a;
    return OK;
}

json_t *site_action_json(const struct site_action *a)
{
    return json_pack("{s:I, s:s, s:s, s:o}", "id", (json_int_t)a->id, "what",
        site_action_name(a->kind), "service", a->service, "until", json_time(a->until));
}

enum err site_action_read(const json_t *value, struct site_action *ret_action, struct fault *f)
{
    struct site_action a;
    const json_t *id = json_object_get(value, "id");
    const char *what = json_string_value(json_object_get(value, "what"));
    const char *service = json_string_value(json_object_get(value, "service"));
    const char *until = json_string_value(json_object_get(value, "until"));
    if (!json_is_integer(id) || json_integer_value(id) < 1 || !what || !service || !until)
        return fault_set(f, ERR_BAD, "an action needs id, what, service and until");
    enum err e = site_action_parse(what, service, &a, f);
    if (!e && time_parse(until, &a.until) != OK)
        e = fault_set(f, ERR_BAD, "until: \"%.40s\" is no time", until);
    a.id = json_integer_value(id);
    if (!e)
        *ret_action = a;
    return e;
}
