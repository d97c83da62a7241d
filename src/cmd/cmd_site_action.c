#include "cmd/commands.h"

#include "cmd/confirm.h"
#include "cmd/ending.h"
#include "cmd/hub_client.h"
#include "cmd/options.h"
#include "cmd/table.h"
#include "fleet/action.h"
#include "fleet/watch.h"

#include <stdio.h>
#include <string.h>

/* site action: ask a site to do something to itself, through the hub that runs. */

static const struct conf_item items[] = {
    DATA_ITEM(DATA_RUNNING),
    {.name = "confirm",
        .type = CONF_TEXT,
        .arg = "NAME",
        .text = "The site's name again, instead of typing it when asked."},
    {.name = NULL},
};

/* Who is not there has five minutes to come back, which he is told who asks. */
static void asked_tell(const struct hub_address *hub, const char *site)
{
    char path[96];
    json_t *row = NULL;
    struct fault f = {0};
    snprintf(path, sizeof path, "fleet/%.63s", site);
    bool known = hub_ask(hub, "GET", path, NULL, &row, &f) == OK;
    const char *word = known ? json_string_value(json_object_get(row, "state")) : NULL;
    enum site_state state = SITE_UP;
    if (word && site_state_parse(word, &state) != OK)
        state = SITE_UP;
    printf("Asked.");
    if (state == SITE_NEW || state == SITE_DOWN || state == SITE_UNWATCHED)
        printf(" %s is %s: it is done if the sensor there speaks within five minutes, and "
               "otherwise not.",
            site, word);
    printf(" kizashi site action %s tells what came of it.\n", site);
    json_decref(row);
}

static enum err ask(const struct hub_address *hub, const struct conf *conf, size_t count,
    char **operands, struct fault *f)
{
    char path[96], question[160];
    struct site_action a;
    json_t *answer = NULL;
    snprintf(path, sizeof path, "fleet/%.63s/actions", operands[0]);
    if (count == 1) {
        enum err e = hub_ask(hub, "GET", path, NULL, &answer, f);
        if (!e)
            table_print(stdout, json_object_get(answer, "rows"));
        json_decref(answer);
        return e;
    }
    enum err e = site_action_parse(operands[1], count > 2 ? operands[2] : "", &a, f);
    snprintf(question, sizeof question, "%.63s: %s%s%.63s.", operands[0], operands[1],
        a.service[0] && !e ? " " : "", e ? "" : a.service);
    if (!e)
        e = confirm_word(question, operands[0], conf_text(conf, "confirm"), f);
    if (e)
        return e;
    json_t *body =
        json_pack("{s:s, s:s}", "action", site_action_name(a.kind), "confirm", operands[0]);
    if (a.service[0])
        json_object_set_new(body, "service", json_string(a.service));
    e = hub_ask(hub, "POST", path, body, &answer, f);
    if (!e)
        asked_tell(hub, operands[0]);
    json_decref(body);
    json_decref(answer);
    return e;
}

static int run(struct conf *conf, size_t count, char **operands)
{
    struct hub_address hub;
    struct fault f = {0};
    enum err e = count >= 1 && count <= 3
                     ? hub_running(conf_text(conf, "data"), &hub, &f)
                     : fault_set(&f, ERR_BAD, "the name of a site is needed, then what to do");
    if (!e)
        e = ask(&hub, conf, count, operands, &f);
    int status = ending("site action", e, &f);
    return e == ERR_EXISTS ? EXIT_PROBLEM : status; /* one is under way; the call is right */
}

const struct command cmd_site_action = {
    .name = "site action",
    .text = "Ask a site to restart a service, upgrade or reboot, or list what was asked.",
    .operands = "NAME [ACTION [SERVICE]]",
    .items = items,
    .run = run,
    .more = "ACTION is restart (with a SERVICE of kizashi), upgrade or reboot. It is confirmed "
            "by typing the site's name, stands in the audit log before it is "
            "sent, and is begun within five minutes or not at all. The site must have enabled "
            "the unit kizashi-site-act; its answer comes with a heartbeat.\n\n"
            "Examples:\n"
            "  kizashi site action jp-01 restart kizashi-sensor\n"
            "  kizashi site action jp-01\n",
};
