#include "cmd/commands.h"

#include "cmd/editor.h"
#include "cmd/ending.h"
#include "cmd/fleet_text.h"
#include "cmd/hub_client.h"
#include "cmd/options.h"
#include "fleet/document.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* site config: the document of a site, through the hub that runs. */

static const struct conf_item items[] = {
    DATA_ITEM(DATA_RUNNING),
    {.name = "show",
        .type = CONF_FLAG,
        .text = "Print the document; so without other options."},
    {.name = "version",
        .type = CONF_COUNT,
        .arg = "VERSION",
        .max = 1e12,
        .text = "Print this version; 0 is what the site does by itself."},
    {.name = "history",
        .type = CONF_FLAG,
        .text = "List the versions: who changed what, why, and when it was in effect."},
    {.name = "diff",
        .type = CONF_COUNT,
        .arg = "VERSION",
        .max = 1e12,
        .text = "What differs between this version and the newest."},
    {.name = "set",
        .type = CONF_LIST,
        .arg = "MEMBER=VALUE",
        .text = "Change a member, such as payload=128, anonymisation.source=prefix or "
                "anonymisation.destination=truncate:24,48; any number of times, all at once."},
    {.name = "file",
        .type = CONF_FILE,
        .values = "-",
        .arg = "FILE",
        .text = "Make the document in this file the newest; - reads standard input."},
    {.name = "edit",
        .type = CONF_FLAG,
        .text = "Change the document in your editor ($EDITOR)."},
    {.name = "rollback",
        .type = CONF_COUNT,
        .arg = "VERSION",
        .max = 1e12,
        .text = "Make the document of an earlier version the newest; 0: what the site does by "
                "itself."},
    {.name = "note", .type = CONF_TEXT, .arg = "TEXT", .max = 200, .text = "Why."},
    {.name = "check",
        .type = CONF_FLAG,
        .text = "Only say what would change, and whether it would do."},
    {.name = "schema", .type = CONF_FLAG, .text = "Print the JSON Schema of documents."},
    {.name = "json", .type = CONF_FLAG, .text = "Answers as JSON."},
    {.name = NULL},
};

struct asking {
    const struct conf *conf;
    struct hub_address hub;
    char path[96]; /* fleet/NAME/config */
};

static enum err config_get(const struct asking *a, json_t **ret_config, struct fault *f)
{
    return hub_ask(&a->hub, "GET", a->path, NULL, ret_config, f);
}

static enum err version_get(
    const struct asking *a, uint64_t version, json_t **ret_document, struct fault *f)
{
    char path[128];
    json_t *answer = NULL;
    snprintf(path, sizeof path, "%s/%llu", a->path, (unsigned long long)version);
    enum err e = hub_ask(&a->hub, "GET", path, NULL, &answer, f);
    if (!e)
        *ret_document = json_incref(json_object_get(answer, "document"));
    json_decref(answer);
    return e;
}

/* ---- looking ---- */

static enum err diff_print(const struct asking *a, struct fault *f)
{
    json_t *config = NULL;
    json_t *old = NULL;
    struct site_document before, after;
    enum err e = config_get(a, &config, f);
    if (!e)
        e = version_get(a, conf_count(a->conf, "diff"), &old, f);
    if (!e)
        e = document_read(&before, old, f);
    if (!e)
        e = document_read(&after, json_object_get(config, "document"), f);
    if (!e) {
        json_t *changes = document_diff(&before, &after);
        if (conf_flag(a->conf, "json"))
            fleet_text_json(stdout, changes);
        else
            fleet_text_changes(stdout, changes);
        json_decref(changes);
    }
    json_decref(old);
    json_decref(config);
    return e;
}

static enum err look(const struct asking *a, struct fault *f)
{
    json_t *config = NULL;
    if (conf_given(a->conf, "diff"))
        return diff_print(a, f);
    enum err e = conf_given(a->conf, "version")
                     ? version_get(a, conf_count(a->conf, "version"), &config, f)
                     : config_get(a, &config, f);
    if (e)
        return e;
    if (conf_given(a->conf, "version"))
        fleet_text_json(stdout, config);
    else if (!conf_flag(a->conf, "history"))
        fleet_text_json(stdout, json_object_get(config, "document"));
    else if (conf_flag(a->conf, "json"))
        fleet_text_json(stdout, json_object_get(config, "versions"));
    else
        fleet_text_versions(stdout, json_object_get(config, "versions"));
    json_decref(config);
    return OK;
}

/* ---- changing ---- */

static void told(const struct asking *a, const json_t *answer)
{
    long long version = json_integer_value(json_object_get(answer, "version"));
    if (conf_flag(a->conf, "json")) {
        fleet_text_json(stdout, answer);
        return;
    }
    if (json_is_true(json_object_get(answer, "same"))) {
        printf("Nothing differs from version %lld.\n", version);
        return;
    }
    printf(conf_flag(a->conf, "check") ? "It would do. Against version %lld:\n"
                                       : "Version %lld:\n",
        version);
    fleet_text_changes(stdout, json_object_get(answer, "changed"));
    if (json_array_size(json_object_get(answer, "losses")))
        printf(conf_flag(a->conf, "check") ? "What would no longer work:\n"
                                           : "What no longer works:\n");
    fleet_text_losses(stdout, json_object_get(answer, "losses"));
    if (!json_is_true(json_object_get(answer, "pushed")))
        printf("It is kept, and pushed as soon as that is possible: %s\n",
            json_string_value(json_object_get(answer, "trouble")));
}

/* `body` is taken. */
static enum err change(const struct asking *a, json_t *body, struct fault *f)
{
    json_t *answer = NULL;
    if (conf_text(a->conf, "note"))
        json_object_set_new(body, "note", json_string(conf_text(a->conf, "note")));
    if (conf_flag(a->conf, "check"))
        json_object_set_new(body, "check", json_true());
    enum err e = hub_ask(&a->hub, "POST", a->path, body, &answer, f);
    if (!e)
        told(a, answer);
    json_decref(answer);
    json_decref(body);
    return e;
}

static json_t *body_of(const struct site_document *d, const json_t *base)
{
    return json_pack("{s:o, s:I}", "document", document_json(d), "base",
        json_integer_value(json_object_get(base, "version")));
}

static enum err change_members(const struct asking *a, struct fault *f)
{
    json_t *config = NULL;
    struct site_document d;
    const char *const *list;
    size_t count = conf_list(a->conf, "set", &list);
    enum err e = config_get(a, &config, f);
    if (!e)
        e = document_read(&d, json_object_get(config, "document"), f);
    for (size_t i = 0; i < count && !e; i++)
        e = document_set(&d, list[i], f);
    if (!e)
        e = change(a, body_of(&d, config), f);
    json_decref(config);
    return e;
}

static enum err change_file(const struct asking *a, struct fault *f)
{
    struct buf text;
    struct site_document d;
    buf_init(&text, DOCUMENT_MAX);
    enum err e = editor_file_read(conf_text(a->conf, "file"), &text, f);
    if (!e)
        e = document_parse(&d, bytes_over(text.data, text.len), f);
    buf_done(&text);
    return e ? e : change(a, json_pack("{s:o}", "document", document_json(&d)), f);
}

/* Until it will do, or the person has had enough. */
static enum err change_by_hand(const struct asking *a, struct fault *f)
{
    json_t *config = NULL;
    struct editor editor;
    struct site_document d;
    enum err e = config_get(a, &config, f);
    if (e)
        return e;
    e = editor_open(&editor, json_object_get(config, "document"), f);
    while (!e) {
        struct buf text;
        buf_init(&text, DOCUMENT_MAX);
        e = editor_run(&editor, &text, f);
        enum err wrong = e ? OK : document_parse(&d, bytes_over(text.data, text.len), f);
        buf_done(&text);
        if (e || !wrong)
            break;
        ending_tell("site config", wrong, f);
        e = editor_again(f);
    }
    editor_close(&editor);
    if (!e)
        e = change(a, body_of(&d, config), f);
    json_decref(config);
    return e;
}

static enum err words_check(const struct conf *c, struct fault *f)
{
    int changes = conf_given(c, "set") + (conf_text(c, "file") != NULL) + conf_flag(c, "edit") +
                  conf_given(c, "rollback");
    int looks = conf_flag(c, "show") + conf_given(c, "version") + conf_flag(c, "history") +
                conf_given(c, "diff");
    if (looks > 1)
        return fault_set(
            f, ERR_BAD, "--show, --version, --history and --diff exclude each other");
    if (looks && changes)
        return fault_set(f, ERR_BAD,
            "--show, --version, --history and --diff do not go with a change; --check tells "
            "what it would be");
    if (changes > 1)
        return fault_set(f, ERR_BAD, "--set, --file, --edit and --rollback exclude each other");
    if (!changes && (conf_flag(c, "check") || conf_text(c, "note")))
        return fault_set(
            f, ERR_BAD, "--check and --note go with --set, --file, --edit or --rollback");
    return OK;
}

static enum err act(const struct asking *a, struct fault *f)
{
    const struct conf *c = a->conf;
    if (conf_given(c, "set"))
        return change_members(a, f);
    if (conf_text(c, "file"))
        return change_file(a, f);
    if (conf_flag(c, "edit"))
        return change_by_hand(a, f);
    if (conf_given(c, "rollback"))
        return change(
            a, json_pack("{s:I}", "version", (json_int_t)conf_count(c, "rollback")), f);
    return look(a, f);
}

static int run(struct conf *conf, size_t count, char **operands)
{
    struct asking a = {.conf = conf};
    struct fault f = {0};
    if (conf_flag(conf, "schema")) {
        json_t *schema = document_schema();
        fleet_text_json(stdout, schema);
        json_decref(schema);
        return EXIT_DONE;
    }
    enum err e = count == 1 ? words_check(conf, &f)
                            : fault_set(&f, ERR_BAD, "the name of one site is needed");
    if (!e)
        e = hub_running(conf_text(conf, "data"), &a.hub, &f);
    if (!e) {
        snprintf(a.path, sizeof a.path, "fleet/%.63s/config", operands[0]);
        e = act(&a, &f);
    }
    int status = ending("site config", e, &f);
    return e == ERR_EXISTS ? EXIT_PROBLEM : status; /* somebody was first; the call is right */
}

const struct command cmd_site_config = {
    .name = "site config",
    .text = "What a site collects and how it hides it: look, change, take back.",
    .operands = "NAME",
    .items = items,
    .run = run,
    .more =
        "Each change is checked as a whole, kept as a version with who and why, pushed to the "
        "site and put into effect there between two batches of packets; --history tells how "
        "long that took. The members are told in docs/formats/site-document.md and by "
        "--schema.\n\n"
        "Examples:\n"
        "  kizashi site config jp-01 --set payload=128 --set heartbeat=30s --note 'CASE-17'\n"
        "  kizashi site config jp-01 --set 'filter=dst net 198.51.100.0/24' --check\n"
        "  kizashi site config jp-01 --history\n"
        "  kizashi site config jp-01 --rollback 3\n",
};
