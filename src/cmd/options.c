#include "cmd/options.h"

#include <string.h>

enum {
    OPTION_NAME_MAX = 64
};

static size_t word_distance(const char *a, const char *b)
{
    size_t row[OPTION_NAME_MAX + 1];
    size_t lb = strlen(b);
    if (strlen(a) > OPTION_NAME_MAX || lb > OPTION_NAME_MAX)
        return OPTION_NAME_MAX;
    for (size_t k = 0; k <= lb; k++)
        row[k] = k;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t before = row[0]++;
        for (size_t k = 1; k <= lb; k++) {
            size_t swap = before + (a[i - 1] != b[k - 1]);
            before = row[k];
            size_t least = row[k] < row[k - 1] ? row[k] + 1 : row[k - 1] + 1;
            row[k] = least < swap ? least : swap;
        }
    }
    return row[lb];
}

static enum err unknown_option(const struct command *command, const char *name, struct fault *f)
{
    const char *nearest = NULL;
    size_t best = 3;
    if (strcmp(name, "help") == 0)
        return fault_set(f, ERR_BAD, "--help stands alone, or is --help=man for the man page");
    for (const struct conf_item *item = command->items; item && item->name; item++) {
        size_t distance = word_distance(name, item->name);
        if (distance < best) {
            best = distance;
            nearest = item->name;
        }
    }
    if (nearest)
        return fault_set(
            f, ERR_NOTFOUND, "there is no option --%s; did you mean --%s?", name, nearest);
    return fault_set(f, ERR_NOTFOUND, "there is no option --%s; kizashi %s --help lists them",
        name, command->name);
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
           strcmp(word, "--help=man") == 0;
}

bool options_want_man(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help=man") == 0)
            return true;
    return false;
}

/* One option at argv[i]; returns how many words it took through *ret_words. */
static enum err option_read(struct conf *conf, const struct command *command, int left,
    char **argv, int *ret_words, struct fault *f)
{
    char name[OPTION_NAME_MAX + 1];
    const char *word = argv[0] + 2;
    const char *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    if (len > OPTION_NAME_MAX)
        return fault_set(f, ERR_NOTFOUND, "there is no option %.40s...", argv[0]);
    memcpy(name, word, len);
    name[len] = 0;
    const struct conf_item *item = conf_find(conf, name);
    if (!item)
        return unknown_option(command, name, f);
    *ret_words = 1;
    const char *value = equals ? equals + 1 : NULL;
    if (!value && item->type != CONF_FLAG) {
        if (left < 2)
            return fault_set(f, ERR_BAD, "--%s needs a value: %s", name, item->arg);
        value = argv[1];
        *ret_words = 2;
    }
    struct fault inner = {0};
    enum err e = conf_set(conf, name, value, &inner);
    return e ? fault_set(f, e, "--%.470s", inner.text) : OK;
}

enum err options_read(struct conf *conf, const struct command *command, int argc, char **argv,
    int *ret_operands, struct fault *f)
{
    int operands = 0;
    bool open = true;
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (is_help(argv[i]))
            return ERR_STOPPED;
    for (int i = 0; i < argc;) {
        int words = 1;
        enum err e = OK;
        if (open && strcmp(argv[i], "--") == 0)
            open = false;
        else if (open && strncmp(argv[i], "--", 2) == 0)
            e = option_read(conf, command, argc - i, argv + i, &words, f);
        else if (open && argv[i][0] == '-' && argv[i][1])
            e = fault_set(f, ERR_NOTFOUND,
                "there is no option %s; options have two hyphens, and -h for help", argv[i]);
        else
            argv[operands++] = argv[i];
        if (e)
            return e;
        i += words;
    }
    if (operands && !command->operands)
        return fault_set(
            f, ERR_BAD, "\"%s\" is too much: %s takes options only", argv[0], command->name);
    *ret_operands = operands;
    return OK;
}

static bool any_given(const struct conf *conf, const struct option_need *row)
{
    for (size_t i = 0; i < sizeof row->with / sizeof *row->with && row->with[i]; i++)
        if (conf_given(conf, row->with[i]))
            return true;
    return false;
}

enum err options_need(const struct conf *conf, const struct option_need *rows, struct fault *f)
{
    for (; rows->option; rows++)
        if (conf_given(conf, rows->option) && !any_given(conf, rows))
            return fault_set(f, ERR_BAD, "--%s: does nothing without --%s%s%s", rows->option,
                rows->with[0], rows->with[1] ? " or --" : "",
                rows->with[1] ? rows->with[1] : "");
    return OK;
}

enum err options_only(
    const struct conf *conf, const char *what, const char *const *with, struct fault *f)
{
    size_t len = strcspn(what, " ");
    for (const struct conf_item *item = conf_items(conf); item->name; item++) {
        bool acts = strlen(item->name) == len && strncmp(item->name, what, len) == 0;
        for (size_t i = 0; with[i] && !acts; i++)
            acts = strcmp(item->name, with[i]) == 0;
        if (!acts && conf_given(conf, item->name))
            return fault_set(f, ERR_BAD, "--%s: does nothing with --%s", item->name, what);
    }
    return OK;
}
