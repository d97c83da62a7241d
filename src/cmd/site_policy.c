#include "cmd/commands.h"

#include "anon/word.h"
#include "base/json.h"
#include "cmd/anonymize.h"
#include "cmd/ending.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/site_policy_ask.h"
#include "cmd/table.h"
#include "cmd/views.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* `kizashi site policy`: from what the site demands and what analyses need, a document. */

#define FIELD(row, sentence)                                                                   \
    {                                                                                          \
        .name = row, .type = CONF_TEXT, .arg = "METHOD", .max = 64, .text = sentence           \
    }

static const struct conf_item items[] = {
    FIELD("source",
        "The most that may leave of source addresses: keep, truncate:24,48, prefix, "
        "hash or drop."),
    FIELD("destination", "The same of the telescope's own addresses."),
    FIELD("source-port", "keep, class or drop."),
    FIELD("destination-port", "keep, class or drop."),
    FIELD("time", "keep, round:1s or shift:30d."),
    FIELD("payload", "keep, first:64, hash, length or drop."),
    FIELD("numbers", "IP identification and TCP sequence numbers: keep, relation or drop."),
    FIELD("place", "keep, country or drop."),
    FIELD("dns", "keep, domain, hash or drop."),
    FIELD("url", "keep, drop-query, path-hash, host or drop."),
    FIELD("epoch", "How long a key is used: never, or 1h to 366d."),
    {.name = "for",
        .type = CONF_TEXT,
        .arg = "LIST",
        .max = 1000,
        .initial = VIEWS_USUAL,
        .text = "What must go on working: engines and views by name, engines, views, all or "
                "none. Nothing that none of them needs leaves."},
    {.name = "exact",
        .type = CONF_FLAG,
        .text = "Take what the options say as it is, hide nothing more."},
    {.name = "check",
        .type = CONF_FILE,
        .arg = "FILE",
        .max = 4096,
        .text = "Make nothing: tell what does not work under this policy."},
    {.name = "ask",
        .type = CONF_FLAG,
        .text = "Ask field by field; so it does on a terminal when no field is given."},
    {.name = "list", .type = CONF_FLAG, .text = "List engines and views with what each needs."},
    {.name = "schema", .type = CONF_FLAG, .text = "Print the JSON Schema of policies."},
    {.name = "output",
        .type = CONF_TEXT,
        .arg = "FILE",
        .max = 4096,
        .initial = "-",
        .text = "Where the policy goes; a file that is there is not written over."},
    {.name = "json", .type = CONF_FLAG, .text = "What is lost as JSON lines, too."},
    {.name = NULL},
};

enum err site_policy_word(
    struct anon_policy *p, enum anon_field field, const char *word, struct fault *f)
{
    json_t *document = anon_policy_json(p);
    json_object_set_new(document, anon_fields[field].name, anon_word_json(word));
    enum err e = anon_policy_read(p, document, f);
    json_decref(document);
    return e;
}

enum err site_policy_epoch(struct anon_policy *p, const char *word, struct fault *f)
{
    json_t *document = anon_policy_json(p);
    json_object_set_new(document, "epoch", json_string(word));
    enum err e = anon_policy_read(p, document, f);
    json_decref(document);
    return e;
}

/* "destination-port" for "destination_port". */
static const char *option_of(enum anon_field field, char name[32])
{
    snprintf(name, 32, "%s", anon_fields[field].name);
    for (char *at = name; *at; at++)
        if (*at == '_')
            *at = '-';
    return name;
}

/* "source.method: ..." is what the option --source said: the members of a policy that cannot be
 * read stand before the sentence. */
static enum err member_blame(enum err e, struct fault *f, const char *option)
{
    char name[40];
    char text[sizeof f->text];
    bool member = e == ERR_BAD || e == ERR_RANGE;
    const char *rest = member ? strstr(f->text, ": ") : NULL;
    snprintf(text, sizeof text, "%s", rest ? rest + 2 : f->text);
    memcpy(f->text, text, sizeof text);
    snprintf(name, sizeof name, "--%s", option);
    fault_prefix(f, name);
    return e;
}

static enum err demands_read(const struct conf *conf, struct anon_policy *most, struct fault *f)
{
    anon_policy_open(most);
    for (enum anon_field field = 0; field < ANON_FIELDS; field++) {
        char name[32];
        const char *word = conf_text(conf, option_of(field, name));
        enum err e = word ? site_policy_word(most, field, word, f) : OK;
        if (e)
            return member_blame(e, f, name);
    }
    if (!conf_given(conf, "epoch"))
        return OK;
    enum err e = site_policy_epoch(most, conf_text(conf, "epoch"), f);
    return e ? member_blame(e, f, "epoch") : OK;
}

static bool any_field(const struct conf *conf)
{
    for (enum anon_field field = 0; field < ANON_FIELDS; field++) {
        char name[32];
        if (conf_given(conf, option_of(field, name)))
            return true;
    }
    return false;
}

static void loss_json(const struct anon_loss *loss)
{
    struct anon_rule rule;
    json_t *row = json_pack("{s:s, s:s, s:b, s:s, s:o}", "who", loss->who, "field",
        anon_fields[loss->need->field].name, "vital", loss->need->vital, "without",
        loss->need->without, "allow",
        anon_rule_for(loss->need, &rule) ? anon_rule_json(&rule) : json_null());
    table_line(stderr, row);
    json_decref(row);
}

/* "; --source hash lets it work": the least that does, whatever else the site demands. */
static void remedy_format(const struct need *need, char text[128])
{
    struct anon_rule rule;
    char name[32], word[64];
    text[0] = 0;
    if (!anon_rule_for(need, &rule))
        return;
    anon_rule_word(&rule, word);
    snprintf(text, 128, "; --%s %s lets it work", option_of((enum anon_field)need->field, name),
        word);
}

/* What may leave, and does not, because nobody asked for it: told, since it looks like a
 * mistake otherwise. */
static void spared_tell(const struct conf *conf, const struct anon_policy *p)
{
    for (enum anon_field field = 0; field < ANON_FIELDS; field++) {
        char name[32], word[64];
        if (!conf_given(conf, option_of(field, name)))
            continue;
        anon_rule_word(&p->rule[field], word);
        if (strcmp(word, conf_text(conf, name)) != 0)
            fprintf(stderr,
                "--%s %s: less serves what --for names as well: %s (--exact takes it as it "
                "is)\n",
                name, conf_text(conf, name), word);
    }
}

void site_policy_losses(const struct anon_losses *losses, bool json)
{
    for (size_t i = 0; i < losses->count; i++) {
        const struct anon_loss *loss = &losses->loss[i];
        char text[128], remedy[128];
        if (json) {
            loss_json(loss);
            continue;
        }
        remedy_format(loss->need, remedy);
        fprintf(stderr, "%s %s: needs %s of %s; without it %s%s\n", loss->who,
            loss->need->vital ? "does not work" : "works in part",
            need_format(loss->need, text), anon_fields[loss->need->field].name,
            loss->need->without, remedy);
    }
}

static enum err policy_write(const struct anon_policy *p, const char *path, struct fault *f)
{
    struct output out;
    enum err e = output_open(&out, "--output", path, f);
    if (e)
        return e;
    json_t *document = anon_policy_json(p);
    if (!document || json_dumpf(document, out.file, JSON_INDENT(2)) != 0)
        e = fault_set(f, ERR_IO, "--output %s: %s", path, strerror(errno));
    json_decref(document);
    fputc('\n', out.file);
    return output_close(&out, e, f);
}

static void list_needs(const char *who, const struct need *needs)
{
    for (const struct need *need = needs; need && need->without; need++) {
        char text[128];
        printf("%-14s %-17s %s%s\n", need == needs ? who : "", anon_fields[need->field].name,
            need_format(need, text), need->vital ? "" : " (part)");
    }
}

static int print_list(void)
{
    struct anon_wish wishes[ANON_WISHES_MAX];
    size_t count = 0;
    struct fault f;
    if (wishes_read("all", wishes, &count, &f) != OK)
        return EXIT_PROBLEM;
    for (size_t i = 0; i < count; i++)
        list_needs(wishes[i].who, wishes[i].needs);
    return EXIT_DONE;
}

static int print_schema(void)
{
    json_t *schema = anon_policy_schema();
    json_dumpf(schema, stdout, JSON_INDENT(1));
    printf("\n");
    json_decref(schema);
    return EXIT_DONE;
}

static enum err make(const struct conf *conf, struct anon_wish *wishes, size_t *count,
    struct anon_policy *ret_policy, struct fault *f)
{
    struct anon_policy most;
    if (conf_given(conf, "check"))
        return anonymize_policy(conf_text(conf, "check"), ret_policy, f);
    enum err e = demands_read(conf, &most, f);
    if (e)
        return e;
    bool ask = conf_flag(conf, "ask") || (!any_field(conf) && isatty(STDIN_FILENO));
    if (ask && !conf_given(conf, "for"))
        site_policy_ask_for(wishes, count);
    if (ask)
        return site_policy_ask(&most, wishes, *count, ret_policy, f);
    if (conf_flag(conf, "exact"))
        *ret_policy = most;
    else
        anon_propose(&most, wishes, *count, ret_policy);
    if (!conf_flag(conf, "exact") && !conf_flag(conf, "json"))
        spared_tell(conf, ret_policy);
    return OK;
}

/* What else was given has to act. */
static enum err together_check(const struct conf *conf, struct fault *f)
{
    static const struct {
        const char *option;
        const char *with[3];
    } rows[] = {{"list", {NULL}}, {"schema", {NULL}}, {"check", {"for", "json"}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (conf_given(conf, rows[i].option))
            return options_only(conf, rows[i].option, rows[i].with, f);
    return conf_flag(conf, "ask") && conf_flag(conf, "exact")
               ? fault_set(f, ERR_BAD, "--exact: does nothing with --ask")
               : OK;
}

static int run(struct conf *conf, size_t count, char **operands)
{
    (void)count;
    (void)operands;
    struct fault f = {0};
    struct anon_wish wishes[ANON_WISHES_MAX];
    struct anon_policy policy;
    size_t wish_count = 0;
    if (together_check(conf, &f) != OK)
        return ending("site policy", ERR_BAD, &f);
    if (conf_flag(conf, "list"))
        return print_list();
    if (conf_flag(conf, "schema"))
        return print_schema();
    enum err e = wishes_read(conf_text(conf, "for"), wishes, &wish_count, &f);
    if (e)
        fault_prefix(&f, "--for");
    if (!e)
        e = make(conf, wishes, &wish_count, &policy, &f);
    if (!e && !conf_given(conf, "check"))
        e = policy_write(&policy, conf_text(conf, "output"), &f);
    if (e)
        return ending("site policy", e, &f);
    struct anon_losses losses;
    anon_losses(&policy, wishes, wish_count, &losses);
    site_policy_losses(&losses, conf_flag(conf, "json"));
    return losses.vital ? EXIT_PROBLEM : EXIT_DONE;
}

const struct command cmd_site_policy = {
    .name = "site policy",
    .text = "Make a site's anonymisation policy, and tell what does not work under one.",
    .items = items,
    .run = run,
    .more =
        "The options say the most that may leave of each field; what is not named may leave as "
        "it is. Of that, the policy lets out the least that still serves what --for names: a "
        "field "
        "that none of it needs is dropped, which is told, and --exact takes the options as "
        "they "
        "are. What it cannot serve is told, with what would: the site prevails. A truncated "
        "source tells its network, a hashed one which packets are of one source, and neither "
        "is "
        "less than the other: engines count sources, so truncated ones are of no use to them. "
        "Exit status 1: something that --for "
        "names does not work at all.\n\n"
        "Example:\n"
        "  kizashi site policy --destination hash --payload first:64 \\\n"
        "      --for engines,alerts,countries,payloads --output policy.json\n"
        "  kizashi site policy --source hash --time round:1m --for all\n"
        "  kizashi site policy --check policy.json --for victims,dns\n",
};
