#include "cmd/commands.h"

#include "base/json.h"
#include "cmd/engines.h"
#include "cmd/options.h"
#include "cmd/table.h"
#include "cmd/views.h"

#include <stdio.h>
#include <string.h>

static const struct conf_item engines_items[] = {
    {.name = "json", .type = CONF_FLAG, .text = "All engines as JSON lines."},
    {.name = "man", .type = CONF_FLAG, .text = "The manual page of the engine, mdoc(7)."},
    {.name = NULL},
};

static const struct engine *engine_find(const char *name)
{
    for (const struct engine *const *e = engines_all(); *e; e++)
        if (strcmp((*e)->name, name) == 0)
            return *e;
    return NULL;
}

/* Classes and tags that do not count for the engine unless it is told otherwise. */
static const char *leaves_out(const struct engine *e)
{
    for (const struct conf_item *item = e->items; item->name; item++)
        if (strcmp(item->name, "leave-out") == 0)
            return item->initial;
    return "";
}

static json_t *needs_json(const struct need *needs)
{
    json_t *rows = json_array();
    for (const struct need *need = needs; need && need->without; need++) {
        char text[128];
        json_array_append_new(rows,
            json_pack("{s:s, s:s, s:b, s:s}", "field", anon_fields[need->field].name, "needs",
                need_format(need, text), "vital", need->vital, "without", need->without));
    }
    return rows;
}

static void needs_tell(const struct need *needs)
{
    if (!needs || !needs->without)
        return;
    printf("\nOf what a site lets out it needs:\n\n");
    for (const struct need *need = needs; need->without; need++) {
        char text[128];
        printf("  %-17s %s; without it %s\n", anon_fields[need->field].name,
            need_format(need, text), need->without);
    }
}

static void needs_man(const struct need *needs)
{
    if (!needs || !needs->without)
        return;
    printf(".Sh NEEDS\nOf what a site lets out:\n.Bl -tag -width destination_port\n");
    for (const struct need *need = needs; need->without; need++) {
        char text[128];
        printf(".It Cm %s\n%s; without it %s.\n", anon_fields[need->field].name,
            need_format(need, text), need->without);
    }
    printf(".El\n");
}

static int list_all(bool as_json)
{
    json_t *rows = json_array();
    for (const struct engine *const *e = engines_all(); *e; e++)
        json_array_append_new(rows,
            as_json ? json_pack("{s:s, s:s, s:s, s:s, s:b, s:o}", "engine", (*e)->name, "text",
                          (*e)->text, "source", (*e)->source, "leaves_out", leaves_out(*e),
                          "tags", (*e)->tags != NULL, "needs", needs_json((*e)->needs))
                    : json_pack("{s:s, s:s, s:s}", "engine", (*e)->name, "text", (*e)->text,
                          "leaves_out", leaves_out(*e)));
    table_rows(stdout, rows, as_json);
    json_decref(rows);
    return EXIT_DONE;
}

static void tell(const struct engine *e)
{
    printf("%s %s\n(%s).\n\nSettings, each with --set of replay and hub:\n", e->name, e->text,
        e->source);
    options_settings(stdout, e->name, e->items);
    needs_tell(e->needs);
}

static void tell_man(const struct engine *e)
{
    char name[64];
    snprintf(name, sizeof name, "kizashi-engine-%s", e->name);
    options_man_title(stdout, name, 7, e->text);
    printf(".Sh SYNOPSIS\n.Nm kizashi Cm replay | hub\n.Fl -engines Ar %s,...\n", e->name);
    printf(".Fl -set Ar %s.option Ns = Ns Ar value ...\n", e->name);
    printf(".Sh DESCRIPTION\nThe engine\n.Sy %s\n%s,\n%s.\n", e->name, e->text, e->source);
    printf(".Sh SETTINGS\n");
    options_settings_man(stdout, e->name, e->items);
    needs_man(e->needs);
    printf(
        ".Sh SEE ALSO\n.Xr kizashi-engines 1 ,\n.Xr kizashi-hub 1 ,\n.Xr kizashi-replay 1\n");
}

static int run(struct conf *conf, size_t count, char **operands)
{
    if (!count && !conf_flag(conf, "man"))
        return list_all(conf_flag(conf, "json"));
    if (count != 1) {
        fprintf(stderr, "kizashi engines: %s\n",
            count > 1 ? "one engine at a time" : "--man needs the name of an engine");
        return EXIT_USAGE;
    }
    const struct engine *e = engine_find(operands[0]);
    if (!e) {
        fprintf(stderr,
            "kizashi engines: there is no engine \"%.60s\"; kizashi engines lists them\n",
            operands[0]);
        return EXIT_USAGE;
    }
    if (conf_flag(conf, "man"))
        tell_man(e);
    else
        tell(e);
    return EXIT_DONE;
}

const struct command cmd_engines = {
    .name = "engines",
    .text = "List the engines, or tell what one finds and which settings it has.",
    .operands = "[ENGINE]",
    .items = engines_items,
    .run = run,
    .more = "Example:\n"
            "  kizashi engines surge\n"
            "  kizashi replay --engines surge --set surge.min-sources=20 capture.pcap\n",
};
