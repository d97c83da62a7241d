#include "cmd/engines.h"

#include "base/clock.h"
#include "engine/glasso/glasso.h"
#include "engine/graph/graph.h"
#include "engine/growth/growth.h"
#include "engine/nmf/nmf.h"
#include "engine/reach/reach.h"
#include "engine/screen/screen.h"
#include "engine/surge/surge.h"
#include "engine/tensor/tensor.h"

#include <stdio.h>
#include <string.h>

static const struct engine *const all[] = {
    &engine_screen,
    &engine_surge,
    &engine_growth,
    &engine_reach,
    &engine_graph,
    &engine_glasso,
    &engine_nmf,
    &engine_tensor,
    NULL,
};

const struct engine *const *engines_all(void)
{
    return all;
}

static enum err unknown(const char *name, size_t len, struct fault *f)
{
    char names[256] = "";
    size_t used = 0;
    for (size_t i = 0; all[i] && used < sizeof names; i++)
        used += (size_t)snprintf(
            names + used, sizeof names - used, "%s%s", i ? ", " : "", all[i]->name);
    return fault_set(
        f, ERR_NOTFOUND, "there is no engine \"%.*s\"; there are %s", (int)len, name, names);
}

static enum err choose_one(
    struct engine_choice *c, const char *name, size_t len, struct fault *f)
{
    for (size_t i = 0; all[i]; i++) {
        if (strlen(all[i]->name) != len || strncmp(all[i]->name, name, len) != 0)
            continue;
        for (size_t k = 0; k < c->count; k++)
            if (c->engines[k] == all[i])
                return OK;
        c->engines[c->count] = all[i];
        if (conf_new(&c->confs[c->count], all[i]->items) != OK)
            return fault_set(f, ERR_NOMEM, "out of memory");
        c->count++;
        return OK;
    }
    return unknown(name, len, f);
}

static enum err choose_all(struct engine_choice *c, struct fault *f)
{
    enum err e = OK;
    for (size_t i = 0; all[i] && !e; i++)
        e = choose_one(c, all[i]->name, strlen(all[i]->name), f);
    return e;
}

static enum err choose_names(struct engine_choice *c, const char *names, struct fault *f)
{
    if (strcmp(names, "none") == 0)
        return OK;
    if (strcmp(names, "all") == 0)
        return choose_all(c, f);
    enum err e = OK;
    while (!e) {
        size_t len = strcspn(names, ",");
        e = choose_one(c, names, len, f);
        if (e == ERR_NOTFOUND)
            fault_prefix(f, "--engines");
        if (!names[len])
            break;
        names += len + 1;
    }
    return e;
}

/* One option of an engine; the fault has the name that it has on the command line. */
static enum err option_set(struct conf *conf, const struct engine *engine, const char *option,
    const char *value, struct fault *f)
{
    struct fault inner = {0};
    if (!conf_find(conf, option))
        return fault_set(f, ERR_NOTFOUND,
            "--set %s: there is no option \"%s\"; kizashi engines %s lists them", engine->name,
            option, engine->name);
    enum err e = conf_set(conf, option, value, &inner);
    return e ? fault_set(f, e, "--set %s.%.400s", engine->name, inner.text) : OK;
}

/* An option of an engine that does not run: what is wrong with it, and if nothing is, that. */
static enum err set_idle(
    const char *setting, size_t len, const char *option, const char *value, struct fault *f)
{
    struct engine_choice other = {0};
    enum err e = choose_one(&other, setting, len, f);
    if (e == ERR_NOTFOUND)
        fault_prefix(f, "--set");
    if (!e)
        e = option_set(other.confs[0], other.engines[0], option, value, f);
    if (!e)
        e = fault_set(f, ERR_BAD,
            "--set %s.%s: the engine %s does not run; add it to --engines, or leave this out",
            other.engines[0]->name, option, other.engines[0]->name);
    engines_done(&other);
    return e;
}

/* "surge.alpha=0.01" into the chosen engine's options. */
static enum err set_one(struct engine_choice *c, const char *setting, struct fault *f)
{
    char option[64];
    const char *dot = strchr(setting, '.');
    const char *equals = dot ? strchr(dot, '=') : NULL;
    if (!equals || (size_t)(equals - dot) > sizeof option)
        return fault_set(
            f, ERR_BAD, "--set: \"%.200s\" is not of the form ENGINE.OPTION=VALUE", setting);
    snprintf(option, sizeof option, "%.*s", (int)(equals - dot - 1), dot + 1);
    size_t len = (size_t)(dot - setting);
    for (size_t i = 0; i < c->count; i++)
        if (strlen(c->engines[i]->name) == len &&
            strncmp(c->engines[i]->name, setting, len) == 0)
            return option_set(c->confs[i], c->engines[i], option, equals + 1, f);
    return set_idle(setting, len, option, equals + 1, f);
}

enum err engines_choose(struct engine_choice *ret_choice, const char *names,
    const char *const *settings, size_t setting_count, struct fault *f)
{
    struct engine_choice c = {0};
    enum err e = choose_names(&c, names, f);
    for (size_t i = 0; i < setting_count && !e; i++)
        e = set_one(&c, settings[i], f);
    if (e) {
        engines_done(&c);
        return e;
    }
    *ret_choice = c;
    return OK;
}

void engines_done(struct engine_choice *c)
{
    for (size_t i = 0; i < c->count; i++)
        conf_free(c->confs[i]);
    *c = (struct engine_choice){0};
}

/* An engine with its default options refuses nothing but a length. */
static bool window_suits(const struct engine *engine, int64_t window, struct fault *f)
{
    struct conf *conf;
    struct engine_state *state = NULL;
    if (conf_new(&conf, engine->items) != OK)
        return true; /* it will be said when the engine is opened */
    enum err e = engine->open(&state, conf, window, f);
    if (!e)
        engine->close(state);
    conf_free(conf);
    return e != ERR_RANGE;
}

static void name_add(char *names, size_t room, const char *name)
{
    size_t used = strlen(names);
    snprintf(names + used, room - used, "%s%s", used ? "," : "", name);
}

enum err engines_window_check(const struct engine_choice *c, int64_t window, struct fault *f)
{
    char unfit[128] = "";
    char fit[128] = "";
    struct fault first = {0};
    const char *first_name = NULL;
    for (size_t i = 0; i < c->count; i++) {
        struct fault why = {0};
        bool suits = window_suits(c->engines[i], window, &why);
        name_add(suits ? fit : unfit, sizeof fit, c->engines[i]->name);
        if (!suits && !first_name) {
            first = why;
            first_name = c->engines[i]->name;
        }
    }
    char text[TIME_TEXT];
    if (!first_name)
        return OK;
    return fault_set(f, ERR_RANGE,
        "--window %s does not fit the engine%s %s (%s %.100s); choose another length, or leave "
        "%s out: --engines %s",
        duration_format(window, text), strchr(unfit, ',') ? "s" : "", unfit, first_name,
        first.text, strchr(unfit, ',') ? "them" : "it", *fit ? fit : "none");
}
