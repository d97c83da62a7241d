#include "cmd/commands.h"
#include "cmd/ending.h"
#include "cmd/options.h"
#include "cmd/version.h"

#include <stdio.h>
#include <string.h>

/* The command whose words argv starts with; the longest name wins. */
static const struct command *command_find(int argc, char **argv, int *ret_words)
{
    const struct command *found = NULL;
    for (size_t i = 0; commands[i]; i++) {
        const struct command *c = commands[i];
        const char *space = strchr(c->name, ' ');
        size_t first = space ? (size_t)(space - c->name) : strlen(c->name);
        if (strlen(argv[0]) != first || strncmp(argv[0], c->name, first) != 0)
            continue;
        if (space && (argc < 2 || strcmp(argv[1], space + 1) != 0))
            continue;
        int words = space ? 2 : 1;
        if (!found || words > *ret_words) {
            found = c;
            *ret_words = words;
        }
    }
    return found;
}

static void overview(FILE *out)
{
    fprintf(out, "kizashi " KIZASHI_VERSION
                 " watches network telescopes and warns of large attacks early.\n\n"
                 "Usage: kizashi COMMAND [OPTION...]\n\nCommands:\n");
    for (size_t i = 0; commands[i]; i++)
        fprintf(out, "  %-20s %s\n", commands[i]->name, commands[i]->text);
    fprintf(out, "\nkizashi COMMAND --help tells more about one of them.\n");
}

/* "simulate" is the first word of commands and none by itself: they are listed. */
static bool group_overview(const char *word, FILE *out)
{
    size_t len = strlen(word);
    bool any = false;
    for (size_t i = 0; commands[i]; i++) {
        const struct command *c = commands[i];
        if (strncmp(c->name, word, len) != 0 || c->name[len] != ' ')
            continue;
        if (!any)
            fprintf(out, "Usage: kizashi %s WHAT [OPTION...]\n\n", word);
        fprintf(out, "  %-20s %s\n", c->name, c->text);
        any = true;
    }
    if (any)
        fprintf(out, "\nkizashi %s WHAT --help tells more about one of them.\n", word);
    return any;
}

static int no_such_command(int argc, char **argv)
{
    bool help = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    if ((argc == 1 || help) && group_overview(argv[0], help ? stdout : stderr))
        return help ? EXIT_DONE : EXIT_USAGE;
    fprintf(stderr, "kizashi: there is no command \"%s%s%s\"; kizashi help lists them\n",
        argv[0], argc > 1 && argv[1][0] != '-' ? " " : "",
        argc > 1 && argv[1][0] != '-' ? argv[1] : "");
    return EXIT_USAGE;
}

static int command_run(const struct command *command, int argc, char **argv)
{
    static const struct conf_item none[] = {{0}};
    struct command row = *command;
    if (!row.items)
        row.items = none;
    struct conf *conf;
    struct fault f = {0};
    int operands = 0;
    if (conf_new(&conf, row.items) != OK) {
        fprintf(stderr, "kizashi: out of memory\n");
        return EXIT_PROBLEM;
    }
    enum err e = options_read(conf, &row, argc, argv, &operands, &f);
    int status = EXIT_DONE;
    if (e == ERR_STOPPED && options_want_man(argc, argv))
        options_man(stdout, &row);
    else if (e == ERR_STOPPED)
        options_help(stdout, &row);
    else if (e) {
        ending_tell(command->name, e, &f);
        status = EXIT_USAGE;
    } else
        status = command->run(conf, (size_t)operands, argv);
    conf_free(conf);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        overview(stderr);
        return EXIT_USAGE;
    }
    argc--;
    argv++;
    int words = 0;
    if (strcmp(argv[0], "--version") == 0) {
        printf("kizashi " KIZASHI_VERSION "\n");
        return EXIT_DONE;
    }
    bool help = strcmp(argv[0], "help") == 0;
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 || (help && argc == 1)) {
        overview(stdout);
        return EXIT_DONE;
    }
    argc -= help;
    argv += help;
    const struct command *command = command_find(argc, argv, &words);
    if (!command && help && argc == 1 && group_overview(argv[0], stdout))
        return EXIT_DONE;
    if (!command)
        return no_such_command(argc, argv);
    if (help) {
        options_help(stdout, command);
        return EXIT_DONE;
    }
    return command_run(command, argc - words, argv + words);
}
