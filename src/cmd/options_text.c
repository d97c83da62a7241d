/* What the rows of options say to people: --help, and manual pages in mdoc(7). */
#include "cmd/options.h"

#include "base/clock.h"
#include "cmd/version.h"

#include <ctype.h>
#include <string.h>

enum {
    HELP_COLUMN = 30,
    HELP_WIDTH = 96
};

/* A word ends at a blank; one of an example not within quotes. */
static size_t word_len(const char *text, bool example)
{
    bool quoted = false;
    size_t len = 0;
    for (; text[len] && text[len] != '\n'; len++) {
        quoted ^= example && text[len] == '\'';
        if (text[len] == ' ' && !quoted)
            break;
    }
    return len;
}

/* Words of `text` from column `from`, wrapped; the first line starts where the cursor is. What
 * is left of an indented line is indented by four more; an example stays one command. */
static void print_wrapped(FILE *out, const char *text, int from)
{
    int column = from;
    int indent = from;
    int blanks = 0;
    bool example = false;
    while (*text) {
        if (*text == '\n') {
            blanks = (int)strspn(text + 1, " ");
            text += 1 + blanks;
            indent = from + (blanks ? blanks + 4 : 0);
            example = blanks && strncmp(text, "kizashi ", 8) == 0;
            blanks += *text == '\n' ? 0 : from;
            fputc('\n', out);
            column = 0;
            continue;
        }
        int len = (int)word_len(text, example);
        if (column > indent && column + blanks + len + 2 * example > HELP_WIDTH) {
            fprintf(out, "%s\n%*s", example ? " \\" : "", indent, "");
            column = indent;
            blanks = 0;
        }
        fprintf(out, "%*s%.*s", blanks, "", len, text);
        column += blanks + len;
        text += len;
        blanks = (int)strspn(text, " ");
        text += blanks;
    }
    fputc('\n', out);
}

/* " 60 to 3600 packets." or " 1m to 1h.", as the value would be written. */
static size_t print_range(char *text, size_t len, const struct conf_item *item)
{
    char least[TIME_TEXT];
    char most[TIME_TEXT];
    if (item->type == CONF_DURATION)
        return (size_t)snprintf(text, len, " %s to %s.",
            duration_format((int64_t)(item->min * 1e6), least),
            duration_format((int64_t)(item->max * 1e6), most));
    if (item->type == CONF_COUNT)
        return (size_t)snprintf(text, len, " %.0f to %.0f%s%s.", item->min, item->max,
            item->unit ? " " : "", item->unit ? item->unit : "");
    return (size_t)snprintf(text, len, " %.15g to %.15g%s%s.", item->min, item->max,
        item->unit ? " " : "", item->unit ? item->unit : "");
}

static void print_limits(char *text, size_t len, const struct conf_item *item)
{
    size_t used = (size_t)snprintf(text, len, "%s", item->text);
    if (item->values && item->type == CONF_TEXT && used < len)
        used += (size_t)snprintf(text + used, len - used, " One of %s.", item->values);
    bool range = item->min != 0.0 || item->max != 0.0;
    bool number = item->type == CONF_NUMBER || item->type == CONF_COUNT;
    if (range && used < len && (number || item->type == CONF_DURATION))
        used += print_range(text + used, len - used, item);
    if (item->initial && used < len)
        snprintf(text + used, len - used, " Default: %s.", item->initial);
}

static bool options_repeat(const struct conf_item *item)
{
    return item->type == CONF_LIST || item->type == CONF_FILES;
}

static void print_item(FILE *out, const char *left, const struct conf_item *item)
{
    char right[1024];
    int len = (int)strlen(left);
    print_limits(right, sizeof right, item);
    fprintf(out, "%s", left);
    if (len >= HELP_COLUMN - 1)
        fprintf(out, "\n%*s", HELP_COLUMN, "");
    else
        fprintf(out, "%*s", HELP_COLUMN - len, "");
    print_wrapped(out, right, HELP_COLUMN);
}

void options_settings(FILE *out, const char *engine, const struct conf_item *items)
{
    for (const struct conf_item *item = items; item && item->name; item++) {
        char left[128];
        snprintf(left, sizeof left, "  %s.%s=%s", engine, item->name,
            item->arg ? item->arg : "true");
        print_item(out, left, item);
    }
}

void options_help(FILE *out, const struct command *command)
{
    fprintf(out, "kizashi %s: ", command->name);
    print_wrapped(out, command->text, 0);
    fprintf(out, "\nUsage: kizashi %s%s%s%s\n", command->name,
        command->items && command->items->name ? " [OPTION...]" : "",
        command->operands ? " " : "", command->operands ? command->operands : "");
    if (command->items && command->items->name)
        fprintf(out, "\nOptions:\n");
    for (const struct conf_item *item = command->items; item && item->name; item++) {
        char left[128];
        snprintf(left, sizeof left, "  --%s%s%s%s", item->name, item->arg ? " " : "",
            item->arg ? item->arg : "", options_repeat(item) ? "..." : "");
        print_item(out, left, item);
    }
    fprintf(out, "  --help%*sThis text; --help=man gives the man page.\n", HELP_COLUMN - 8, "");
    if (command->more) {
        fputc('\n', out);
        print_wrapped(out, command->more, 0);
    }
}

/* mdoc text: a leading dot or quote would be a request, a backslash an escape. */
static void man_text(FILE *out, const char *text)
{
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '.' && text[1] == ' ' && isupper((unsigned char)text[2])) {
            fputs(".\n", out);
            text++;
            start = true;
            continue;
        } else
            fputc(*text, out);
        start = *text == '\n';
    }
    fputc('\n', out);
}

static void man_more(FILE *out, const char *more)
{
    bool literal = false;
    while (*more) {
        size_t len = strcspn(more, "\n");
        bool indented = more[0] == ' ';
        if (indented != literal) {
            fputs(indented ? ".Bd -literal -offset indent\n" : ".Ed\n", out);
            literal = indented;
        }
        char line[1024];
        snprintf(line, sizeof line, "%.*s", (int)len, more);
        if (len == 0)
            fputs(literal || more[1] == ' ' ? "" : ".Pp\n", out);
        else
            man_text(out, indented ? line + strspn(line, " ") : line);
        more += len + (more[len] == '\n');
    }
    if (literal)
        fputs(".Ed\n", out);
}

static void man_options(FILE *out, const struct command *command)
{
    if (!command->items || !command->items->name)
        return;
    fputs("The options are as follows:\n.Bl -tag -width Ds\n", out);
    for (const struct conf_item *item = command->items; item->name; item++) {
        char text[1024];
        fprintf(out, ".It Fl -%s%s%s\n", item->name, item->arg ? " Ar " : "",
            item->arg ? item->arg : "");
        print_limits(text, sizeof text, item);
        man_text(out, text);
        if (options_repeat(item))
            fputs("May be given several times.\n", out);
    }
    fputs(".El\n", out);
}

void options_settings_man(FILE *out, const char *engine, const struct conf_item *items)
{
    fputs(".Bl -tag -width Ds\n", out);
    for (const struct conf_item *item = items; item && item->name; item++) {
        char text[1024];
        fprintf(out, ".It Cm %s.%s Ns = Ns Ar %s\n", engine, item->name,
            item->arg ? item->arg : "true");
        print_limits(text, sizeof text, item);
        man_text(out, text);
    }
    fputs(".El\n", out);
}

void options_man_title(FILE *out, const char *name, int section, const char *text)
{
    fprintf(out, ".Dd " KIZASHI_DATE "\n.Dt ");
    for (const char *c = name; *c; c++)
        fputc(toupper((unsigned char)*c), out);
    size_t len = strlen(text);
    bool stop = len && text[len - 1] == '.';
    fprintf(
        out, " %d\n.Os\n.Sh NAME\n.Nm %s\n.Nd %.*s\n", section, name, (int)(len - stop), text);
}

void options_man(FILE *out, const struct command *command)
{
    char name[64];
    snprintf(name, sizeof name, "kizashi-%s", command->name);
    for (char *c = name; *c; c++)
        if (*c == ' ')
            *c = '-';
    options_man_title(out, name, 1, command->text);
    fprintf(out, ".Sh SYNOPSIS\n.Nm kizashi %s\n", command->name);
    if (command->items && command->items->name)
        fputs(".Op Ar option ...\n", out);
    if (command->operands)
        fprintf(out, ".Ar %s\n", command->operands);
    fputs(".Sh DESCRIPTION\n", out);
    man_text(out, command->text);
    fputs(".Pp\n", out);
    man_options(out, command);
    if (command->more) {
        fputs(".Pp\n", out);
        man_more(out, command->more);
    }
    fputs(".Sh EXIT STATUS\n0 when done, 1 when a problem was found, 2 when used wrongly.\n",
        out);
    fputs(".Sh SEE ALSO\n.Xr kizashi 1\n", out);
}
