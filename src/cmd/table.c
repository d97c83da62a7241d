#include "cmd/table.h"

#include <string.h>

enum {
    COLUMNS_MAX = 32,
    CELL = 128,
    LINE_MAX_BYTES = 64 << 20
};

static void cell_text(const json_t *value, char text[CELL])
{
    text[0] = 0;
    if (json_is_string(value))
        snprintf(text, CELL, "%s", json_string_value(value));
    else if (json_is_integer(value))
        snprintf(text, CELL, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(text, CELL, "%.4g", json_real_value(value));
    else if (json_is_boolean(value))
        snprintf(text, CELL, "%s", json_is_true(value) ? "yes" : "no");
    else if (json_is_array(value)) {
        size_t used = 0;
        for (size_t i = 0; i < json_array_size(value) && used < CELL; i++) {
            char part[CELL];
            cell_text(json_array_get(value, i), part);
            used += (size_t)snprintf(text + used, CELL - used, "%s%s", i ? "," : "", part);
        }
    }
}

/* Columns that a terminal shows, not bytes: continuation bytes of UTF-8 take none. */
static int shown_width(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void cell_print(FILE *out, const char *text, int width, bool right, bool last)
{
    int pad = width - shown_width(text);
    if (right)
        fprintf(out, "%*s%s", pad, "", text);
    else
        fprintf(out, "%s%*s", text, last ? 0 : pad, "");
    fputs(last ? "\n" : "  ", out);
}

void table_print(FILE *out, const json_t *rows)
{
    const char *names[COLUMNS_MAX];
    int widths[COLUMNS_MAX];
    bool right[COLUMNS_MAX];
    size_t columns = 0;
    const char *name;
    json_t *value;
    json_object_foreach(json_array_get(rows, 0), name, value)
    {
        if (columns == COLUMNS_MAX)
            break;
        names[columns] = name;
        widths[columns] = shown_width(name);
        right[columns++] = false;
    }
    char text[CELL];
    for (size_t i = 0; i < json_array_size(rows); i++)
        for (size_t c = 0; c < columns; c++) {
            const json_t *cell = json_object_get(json_array_get(rows, i), names[c]);
            cell_text(cell, text);
            right[c] = right[c] || json_is_number(cell);
            int width = shown_width(text);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    for (size_t c = 0; c < columns; c++)
        cell_print(out, names[c], widths[c], right[c], c + 1 == columns);
    for (size_t i = 0; i < json_array_size(rows); i++)
        for (size_t c = 0; c < columns; c++) {
            cell_text(json_object_get(json_array_get(rows, i), names[c]), text);
            cell_print(out, text, widths[c], right[c], c + 1 == columns);
        }
}

void table_line(FILE *out, const json_t *row)
{
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    json_write(&line, row);
    if (line.data)
        fwrite(line.data, 1, line.len, out);
    fputc('\n', out);
    buf_done(&line);
}

void table_rows(FILE *out, const json_t *rows, bool as_json)
{
    if (!as_json)
        table_print(out, rows);
    for (size_t i = 0; as_json && i < json_array_size(rows); i++)
        table_line(out, json_array_get(rows, i));
}
