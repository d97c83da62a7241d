/* Rules as text and back. One line says one thing; docs/formats/screening-rules.md. */
#include "screen/rule.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_MOST = 4096
};
#define FIRST_LINE "kizashi-screening-rules 1"

/* --- writing -------------------------------------------------------------------------------
 */

static const char *const condition_words[] = {[CONDITION_ONLY] = "only",
    [CONDITION_SENDS] = "sends",
    [CONDITION_TOOL] = "tool",
    [CONDITION_CLASS] = "class",
    [CONDITION_COUNTRY] = "country"};

void condition_write(const struct condition *c, struct buf *out)
{
    char text[THING_TEXT];
    switch (c->kind) {
    case CONDITION_ONLY:
    case CONDITION_SENDS:
        buf_str(out, condition_words[c->kind]);
        for (unsigned i = 0; i < c->thing_count; i++)
            buf_printf(out, " %s", thing_match_format(&c->thing[i], text));
        return;
    case CONDITION_TOOL:
    case CONDITION_CLASS:
    case CONDITION_COUNTRY:
        buf_printf(out, "%s %s", condition_words[c->kind], c->word);
        return;
    case CONDITION_AT_LEAST:
    case CONDITION_AT_MOST:
        buf_printf(out, "%s %s %.0f", feature_word(c->feature),
            c->kind == CONDITION_AT_LEAST ? ">=" : "<=", c->value);
        return;
    }
}

static void text_write(const char *word, const char *text, struct buf *out)
{
    if (*text)
        buf_printf(out, "  %s %s\n", word, text);
}

static void time_write(const char *word, int64_t time, struct buf *out)
{
    char text[TIME_TEXT];
    if (time)
        buf_printf(out, "  %s %s\n", word, time_format(time, text));
}

void rule_write(const struct rule *r, struct buf *out)
{
    buf_printf(out, "\nrule %s\n  label %s\n", r->name, r->label);
    if (r->tag < TAG_COUNT)
        buf_printf(out, "  tag %s\n", tag_name(r->tag));
    for (unsigned i = 0; i < r->condition_count; i++) {
        buf_str(out, r->condition[i].must_not ? "  unless " : "  if ");
        condition_write(&r->condition[i], out);
        buf_str(out, "\n");
    }
    if (r->support)
        buf_printf(out, "  support %" PRIu32 "\n", r->support);
    if (r->held_out)
        buf_printf(out, "  held-out %" PRIu32 " of %" PRIu32 "\n", r->right, r->held_out);
    text_write("from", r->from, out);
    time_write("proposed", r->proposed, out);
    time_write("accepted", r->accepted, out);
    text_write("by", r->who, out);
    text_write("because", r->why, out);
}

void rules_write(const struct rules *r, struct buf *out)
{
    buf_str(out, FIRST_LINE "\n");
    for (size_t i = 0; i < r->count; i++)
        rule_write(&r->list[i], out);
}

/* --- reading -------------------------------------------------------------------------------
 */

struct reader {
    struct rules *rules; /* complete ones */
    const char *name;
    unsigned long line;
    struct rule rule;
    bool in_rule;
    unsigned seen; /* bit k: line k of `lines` was there in this rule */
    struct fault *fault;
};

static enum err fault_at(
    struct reader *r, const char *what, const char *text, const char *allowed)
{
    return fault_set(
        r->fault, ERR_BAD, "%s:%lu: %s \"%.80s\": %s", r->name, r->line, what, text, allowed);
}

static bool is_word(const char *text)
{
    size_t len = strlen(text);
    return len && len <= RECORD_NAME_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._:-") == len;
}

static enum err word_read(struct reader *r, const char *what, const char *text, char *to)
{
    if (!is_word(text))
        return fault_at(r, what, text, "a word is 1 to 63 of a-z 0-9 . _ : -");
    memcpy(to, text, strlen(text) + 1);
    return OK;
}

/* Up to 1e9, without sign, blank or leading zeros. */
static bool whole_parse(const char *text, uint32_t *ret_value)
{
    uint64_t value = 0;
    size_t len = strlen(text);
    if (!len || len > 10 || (text[0] == '0' && len > 1) || strspn(text, "0123456789") != len)
        return false;
    for (size_t i = 0; i < len; i++)
        value = value * 10 + (uint64_t)(text[i] - '0');
    *ret_value = (uint32_t)value;
    return value <= 1000000000;
}

static enum err label_line(struct reader *r, const char *text)
{
    return word_read(r, "label", text, r->rule.label);
}

static enum err tag_line(struct reader *r, const char *text)
{
    for (unsigned k = 0; k < TAG_COUNT; k++)
        if (strcmp(tag_name((enum contact_tag)k), text) == 0) {
            r->rule.tag = (enum contact_tag)k;
            return OK;
        }
    return fault_at(r, "tag", text, "there are known and survey-like");
}

static enum err things_read(struct reader *r, char *text, struct condition *c)
{
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        struct fault inner = {0};
        if (c->thing_count == RULE_THINGS)
            return fault_at(r, "condition", word, "at most 12 things");
        if (thing_match_parse(word, &c->thing[c->thing_count], &inner))
            return fault_set(r->fault, ERR_BAD, "%s:%lu: %.400s", r->name, r->line, inner.text);
        c->thing_count++;
    }
    return c->thing_count ? OK : fault_at(r, "condition", "", "things are missing");
}

static enum err known_word(struct reader *r, const char *text, struct condition *c)
{
    enum err e = word_read(r, condition_words[c->kind], text, c->word);
    if (!e && c->kind == CONDITION_COUNTRY &&
        (strlen(text) != 2 || strspn(text, "abcdefghijklmnopqrstuvwxyz") != 2))
        return fault_at(r, "country", text, "two letters, lower case");
    if (e || c->kind != CONDITION_CLASS)
        return e;
    return class_find(text) < CLASS_COUNT
               ? OK
               : fault_at(r, "class", text,
                     "there are other, scan, backscatter, misconfiguration, survey and worm");
}

/* ">= 30" */
static enum err comparison_read(struct reader *r, const char *text, struct condition *c)
{
    uint32_t value;
    bool least = strncmp(text, ">= ", 3) == 0;
    bool most = strncmp(text, "<= ", 3) == 0;
    if ((!least && !most) || !whole_parse(text + 3, &value))
        return fault_at(
            r, feature_word(c->feature), text, ">= or <= and a whole number up to 1000000000");
    c->kind = least ? CONDITION_AT_LEAST : CONDITION_AT_MOST;
    c->value = value;
    return OK;
}

static enum err condition_line(struct reader *r, const char *given, bool must_not)
{
    char text[LINE_MOST];
    snprintf(text, sizeof text, "%s", given);
    if (r->rule.condition_count == RULE_CONDITIONS)
        return fault_at(r, "if", text, "a rule has at most 8 conditions");
    struct condition c = {.feature = FEATURE_COUNT, .must_not = must_not};
    char *rest = strchr(text, ' ');
    if (!rest)
        return fault_at(r, "if", text, "a condition is incomplete");
    *rest++ = 0;
    unsigned kind = 0;
    while (kind <= CONDITION_COUNTRY && strcmp(condition_words[kind], text) != 0)
        kind++;
    enum err e;
    c.kind = (enum condition_kind)kind;
    if (kind == CONDITION_ONLY || kind == CONDITION_SENDS) {
        e = things_read(r, rest, &c);
    } else if (kind <= CONDITION_COUNTRY) {
        e = known_word(r, rest, &c);
    } else {
        c.feature = feature_find(text);
        e = c.feature == FEATURE_COUNT
                ? fault_at(r, "if", text,
                      "only, sends, tool, class, country or a number of the profile")
                : comparison_read(r, rest, &c);
    }
    if (!e)
        r->rule.condition[r->rule.condition_count++] = c;
    return e;
}

static enum err if_line(struct reader *r, const char *text)
{
    return condition_line(r, text, false);
}

static enum err unless_line(struct reader *r, const char *text)
{
    return condition_line(r, text, true);
}

static enum err support_line(struct reader *r, const char *text)
{
    return whole_parse(text, &r->rule.support) && r->rule.support
               ? OK
               : fault_at(r, "support", text, "a whole number from 1 on");
}

static enum err held_out_line(struct reader *r, const char *text)
{
    char right[16];
    const char *of = strstr(text, " of ");
    size_t len = of ? (size_t)(of - text) : sizeof right;
    if (len >= sizeof right)
        return fault_at(r, "held-out", text, "two numbers as in 53 of 54");
    memcpy(right, text, len);
    right[len] = 0;
    if (!whole_parse(right, &r->rule.right) || !whole_parse(of + 4, &r->rule.held_out) ||
        r->rule.right > r->rule.held_out || !r->rule.held_out)
        return fault_at(r, "held-out", text, "two numbers as in 53 of 54");
    return OK;
}

static enum err text_read(struct reader *r, const char *what, const char *text, char *to)
{
    if (strlen(text) >= RULE_TEXT)
        return fault_at(r, what, text, "at most 199 bytes");
    memcpy(to, text, strlen(text) + 1);
    return OK;
}

static enum err from_line(struct reader *r, const char *text)
{
    return text_read(r, "from", text, r->rule.from);
}

static enum err by_line(struct reader *r, const char *text)
{
    return text_read(r, "by", text, r->rule.who);
}

static enum err because_line(struct reader *r, const char *text)
{
    return text_read(r, "because", text, r->rule.why);
}

static enum err time_read(
    struct reader *r, const char *what, const char *text, int64_t *ret_time)
{
    int64_t time;
    if (time_parse(text, &time) || time <= 0)
        return fault_at(r, what, text, "a time as in 2026-11-20T08:30:00Z");
    *ret_time = time;
    return OK;
}

static enum err proposed_line(struct reader *r, const char *text)
{
    return time_read(r, "proposed", text, &r->rule.proposed);
}

static enum err accepted_line(struct reader *r, const char *text)
{
    return time_read(r, "accepted", text, &r->rule.accepted);
}

static const struct {
    const char *word;
    enum err (*read)(struct reader *r, const char *text);
    bool often;
} lines[] = {
    {"label", label_line, false},
    {"tag", tag_line, false},
    {"if", if_line, true},
    {"unless", unless_line, true},
    {"support", support_line, false},
    {"held-out", held_out_line, false},
    {"from", from_line, false},
    {"proposed", proposed_line, false},
    {"accepted", accepted_line, false},
    {"by", by_line, false},
    {"because", because_line, false},
};

static enum err rule_end(struct reader *r)
{
    if (!r->in_rule)
        return OK;
    r->in_rule = false;
    if (!r->rule.label[0] || !r->rule.condition_count)
        return fault_at(r, "rule", r->rule.name, "it needs a label and at least one condition");
    enum err e = rules_add(r->rules, &r->rule);
    if (e == ERR_EXISTS)
        return fault_at(r, "rule", r->rule.name, "a rule of this name is there already");
    return e ? fault_set(r->fault, e, "%s:%lu: %s", r->name, r->line,
                   e == ERR_FULL ? "more than 1000 rules" : err_text(e))
             : OK;
}

static enum err rule_line(struct reader *r, const char *text)
{
    enum err e = rule_end(r);
    if (e)
        return e;
    r->rule = (struct rule){.tag = TAG_COUNT};
    r->seen = 0;
    e = word_read(r, "rule", text, r->rule.name);
    r->in_rule = !e;
    return e;
}

static enum err line_read(struct reader *r, char *text)
{
    char *rest = strchr(text, ' ');
    if (rest)
        *rest++ = 0;
    const char *value = rest ? rest + strspn(rest, " ") : "";
    if (strcmp(text, "rule") == 0)
        return rule_line(r, value);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (strcmp(lines[i].word, text) != 0)
            continue;
        if (!r->in_rule)
            return fault_at(r, "line", text, "it stands in no rule");
        if (r->seen >> i & 1 && !lines[i].often)
            return fault_at(r, "line", text, "a rule says this once");
        r->seen |= 1u << i;
        return *value ? lines[i].read(r, value)
                      : fault_at(r, "line", text, "a value is missing");
    }
    return fault_at(r, "line", text,
        "there are rule, label, tag, if, unless, support, held-out, from, proposed, accepted, "
        "by, "
        "because");
}

/* Copy the next line, trimmed; false at the end. */
static enum err next_line(
    struct reader *r, struct bytes *in, char text[LINE_MOST], bool *ret_more)
{
    *ret_more = in->left > 0;
    if (!in->left)
        return OK;
    r->line++;
    const uint8_t *end = memchr(in->at, '\n', in->left);
    size_t len = end ? (size_t)(end - in->at) : in->left;
    struct bytes line = bytes_take(in, len);
    bytes_skip(in, end ? 1 : 0);
    if (len >= LINE_MOST)
        return fault_at(r, "line", "", "longer than 4095 bytes");
    size_t used = 0;
    while (line.left) {
        uint8_t byte = bytes_u8(&line);
        if ((byte < ' ' && byte != '\t' && byte != '\r') || byte == 0x7f)
            return fault_at(r, "line", "", "a control character");
        byte = byte == '\t' || byte == '\r' ? ' ' : byte;
        if (byte != ' ' || used)
            text[used++] = (char)byte;
    }
    while (used && text[used - 1] == ' ')
        used--;
    text[used] = 0;
    return OK;
}

static enum err lines_read(struct reader *r, struct bytes in)
{
    char text[LINE_MOST];
    bool more, begun = false;
    for (;;) {
        enum err e = next_line(r, &in, text, &more);
        if (e)
            return e;
        if (!more)
            break;
        if (!*text || *text == '#')
            continue;
        if (!begun && strcmp(text, FIRST_LINE) != 0)
            return fault_at(r, "first line", text, "it is to be " FIRST_LINE);
        if (begun)
            e = line_read(r, text);
        if (e)
            return e;
        begun = true;
    }
    if (!begun)
        return fault_at(r, "first line", "", "it is to be " FIRST_LINE);
    return rule_end(r);
}

enum err rules_parse(struct rules *r, const char *name, struct bytes text, struct fault *f)
{
    struct rules fresh;
    rules_init(&fresh);
    struct reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return fault_set(f, ERR_NOMEM, "out of memory");
    *reader = (struct reader){.rules = &fresh, .name = name, .fault = f};
    enum err e = lines_read(reader, text);
    free(reader);
    for (size_t i = 0; !e && i < fresh.count; i++)
        if (rules_find(r, fresh.list[i].name))
            e = fault_set(
                f, ERR_EXISTS, "%s: rule %s is there already", name, fresh.list[i].name);
    if (!e && r->count + fresh.count > RULES_MAX)
        e = fault_set(f, ERR_FULL, "%s: more than %d rules in all", name, RULES_MAX);
    size_t before = r->count;
    for (size_t i = 0; !e && i < fresh.count; i++)
        e = rules_add(r, &fresh.list[i]);
    if (e)
        r->count = before;
    rules_done(&fresh);
    return e;
}

enum err rules_read_file(struct rules *r, const char *path, struct fault *f)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return fault_set(
            f, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "%s: %s", path, strerror(errno));
    uint8_t *data = malloc(RULES_FILE_MAX + 1);
    size_t len = data ? fread(data, 1, RULES_FILE_MAX + 1, in) : 0;
    enum err e = OK;
    if (!data)
        e = fault_set(f, ERR_NOMEM, "out of memory");
    else if (ferror(in))
        e = fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    else if (len > RULES_FILE_MAX)
        e = fault_set(f, ERR_RANGE, "%s: longer than %d bytes", path, RULES_FILE_MAX);
    else
        e = rules_parse(r, path, bytes_over(data, len), f);
    fclose(in);
    free(data);
    return e;
}
