/* Words, numbers, texts and marks of the rule language, with their places. */
#include "sensor/signature_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* The byte `ahead`, or -1 past the end. */
static int peek(const struct rules_reader *r, size_t ahead)
{
    return ahead < r->in.left ? r->in.at[ahead] : -1;
}

static void step(struct rules_reader *r)
{
    if (bytes_u8(&r->in) == '\n') {
        r->place.line++;
        r->place.column = 1;
    } else {
        r->place.column++;
    }
}

void rules_fail(struct rules_reader *r, struct place at, const char *format, ...)
{
    if (r->err)
        return;
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    r->err = fault_set(r->fault, ERR_BAD, "%s:%u:%u: %s", r->name, at.line, at.column, text);
    r->token.kind = TOKEN_END;
}

static void skip_blanks(struct rules_reader *r)
{
    for (;;) {
        int c = peek(r, 0);
        if (c == '#') {
            while (peek(r, 0) >= 0 && peek(r, 0) != '\n')
                step(r);
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            step(r);
        } else {
            return;
        }
    }
}

static bool in_word(const struct rules_reader *r, int c)
{
    if (is_letter(c) || is_digit(c))
        return true;
    return !r->words_are_plain && (c == '-' || c == '.' || c == ':');
}

static void read_word(struct rules_reader *r)
{
    r->token.kind = TOKEN_WORD;
    while (in_word(r, peek(r, 0)))
        step(r);
    r->token.len = (size_t)(r->in.at - r->token.at);
}

static int digit_value(int c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

static void read_number(struct rules_reader *r)
{
    int base = 10;
    uint64_t value = 0;
    r->token.kind = TOKEN_NUMBER;
    if (peek(r, 0) == '0' && (peek(r, 1) == 'x' || peek(r, 1) == 'X')) {
        base = 16;
        step(r);
        step(r);
    }
    size_t digits = 0;
    for (; digit_value(peek(r, 0)) < base; digits++) {
        value = value * (unsigned)base + (unsigned)digit_value(peek(r, 0));
        if (value > UINT32_MAX) {
            rules_fail(r, r->token.place, "number above 4294967295");
            return;
        }
        step(r);
    }
    if (!digits || is_letter(peek(r, 0)) || is_digit(peek(r, 0))) {
        rules_fail(r, r->token.place,
            "not a number: write decimal digits, or 0x and hexadecimal ones");
        return;
    }
    r->token.number = (uint32_t)value;
    r->token.len = (size_t)(r->in.at - r->token.at);
}

static void read_text(struct rules_reader *r)
{
    step(r);
    r->token.kind = TOKEN_TEXT;
    r->token.at = r->in.at;
    while (peek(r, 0) >= ' ' && peek(r, 0) != '"')
        step(r);
    r->token.len = (size_t)(r->in.at - r->token.at);
    if (peek(r, 0) != '"') {
        rules_fail(r, r->token.place,
            "text without its closing quote on the same line, or with a control character in "
            "it");
        return;
    }
    step(r);
}

static void read_mark(struct rules_reader *r)
{
    static const char *const marks[] = {"&&", "||", "==", "!=", "<=", ">=", "<<", ">>", "<",
        ">", "!", "&", "|", "^", "+", "-", "*", "~", "(", ")", "[", "]", "{", "}", ";", ",",
        ".", "/"};
    r->token.kind = TOKEN_MARK;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        size_t len = strlen(marks[i]);
        if (len > r->in.left || memcmp(r->in.at, marks[i], len) != 0)
            continue;
        memcpy(r->token.mark, marks[i], len + 1);
        r->token.len = len;
        for (size_t k = 0; k < len; k++)
            step(r);
        return;
    }
    int c = peek(r, 0);
    if (c > ' ' && c < 127)
        rules_fail(r, r->token.place, "'%c' has no meaning here", c);
    else
        rules_fail(r, r->token.place, "byte 0x%02x has no meaning here", (unsigned)c);
}

void rules_next(struct rules_reader *r)
{
    if (r->err)
        return;
    r->last_end = r->in.at;
    skip_blanks(r);
    r->token = (struct token){.kind = TOKEN_END, .place = r->place, .at = r->in.at};
    int c = peek(r, 0);
    if (c < 0)
        return;
    if (is_letter(c))
        read_word(r);
    else if (is_digit(c))
        read_number(r);
    else if (c == '"')
        read_text(r);
    else
        read_mark(r);
}

void rules_start(struct rules_reader *r, const char *name, struct bytes text, struct fault *f)
{
    *r = (struct rules_reader){.name = name, .in = text, .place = {1, 1}, .fault = f};
    r->last_end = text.at;
    rules_next(r);
}

bool rules_is(const struct rules_reader *r, const char *mark_or_word)
{
    const struct token *t = &r->token;
    if (r->err)
        return false;
    if (t->kind == TOKEN_MARK)
        return strcmp(t->mark, mark_or_word) == 0;
    return t->kind == TOKEN_WORD && t->len == strlen(mark_or_word) &&
           memcmp(t->at, mark_or_word, t->len) == 0;
}

const char *rules_shows(const struct rules_reader *r, char text[48])
{
    const struct token *t = &r->token;
    int len = t->len < 32 ? (int)t->len : 32;
    switch (t->kind) {
    case TOKEN_END:
        return "the end";
    case TOKEN_TEXT:
        snprintf(text, 48, "the text \"%.*s\"", len, (const char *)t->at);
        return text;
    case TOKEN_WORD:
    case TOKEN_NUMBER:
    case TOKEN_MARK:
        snprintf(text, 48, "'%.*s'", len, (const char *)t->at);
        return text;
    }
    return "";
}
