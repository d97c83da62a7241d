#include "api/lines_int.h"

static bool enough(const struct lines *l)
{
    return l->most && l->rows >= l->most;
}

/* Copies whole rows' worth at a time; only their ends matter. */
static bool pass_csv(struct lines *l, const char *data, size_t len, struct buf *out)
{
    size_t i = 0;
    for (; i < len; i++) {
        if (data[i] == '"')
            l->quoted = !l->quoted;
        if (data[i] != '\n' || l->quoted)
            continue;
        l->rows += l->header_seen;
        l->header_seen = true;
        if (enough(l)) {
            i++;
            break;
        }
    }
    buf_put(out, data, i);
    return enough(l);
}

static bool in_string(struct lines *l, char c)
{
    if (l->escaped)
        l->escaped = false;
    else if (c == '\\')
        l->escaped = true;
    else if (c == '"')
        l->quoted = false;
    return true;
}

/* Does this character belong to a row, rather than to the array around the rows? */
static bool of_row(struct lines *l, char c)
{
    if (l->quoted)
        return in_string(l, c);
    if (c == '"')
        l->quoted = true;
    else if (c == '{' || c == '[')
        return l->depth++ > 0;
    else if (c == '}' || c == ']')
        return --l->depth > 0;
    return l->depth > 1;
}

static bool is_space(char c)
{
    return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

static bool pass_json(struct lines *l, const char *data, size_t len, struct buf *out)
{
    size_t start = 0;
    for (size_t i = 0; i < len; i++) {
        bool was_quoted = l->quoted;
        bool keep = of_row(l, data[i]) && (was_quoted || !is_space(data[i]));
        if (!keep) {
            buf_put(out, data + start, i - start);
            start = i + 1;
        } else if (data[i] == '}' && !l->quoted && l->depth == 1) {
            buf_put(out, data + start, i + 1 - start);
            buf_str(out, "\n");
            start = i + 1;
            l->rows++;
            if (enough(l))
                return true;
        }
    }
    buf_put(out, data + start, len - start);
    return false;
}

bool lines_pass(struct lines *l, const char *data, size_t len, struct buf *out)
{
    if (enough(l))
        return true;
    return l->csv ? pass_csv(l, data, len, out) : pass_json(l, data, len, out);
}
