/* What evidence may hold, as tables: the shape that record/finding.h makes and charts draw. */
#include "alert/alert_int.h"

#include "base/clock.h"

#include <math.h>
#include <string.h>

enum shape {
    SHAPE_TEXT, /* at most 200 bytes */
    SHAPE_NUMBER,
    SHAPE_TIME,
    SHAPE_VALUES, /* numbers and nulls */
    SHAPE_LABELS, /* texts */
    SHAPE_CELLS,  /* rows of numbers and nulls */
};

enum {
    TEXT_MAX = 200,
    VALUES_MAX = 2016,
    FIELDS_MAX = 10
};

struct field {
    const char *name;
    enum shape shape;
    bool needed;
};

static const struct {
    const char *name;
    size_t most; /* rows */
    struct field fields[FIELDS_MAX];
} arrays[] = {
    {"numbers", 64,
        {{"name", SHAPE_TEXT, true}, {"value", SHAPE_NUMBER, true}, {"unit", SHAPE_TEXT, true},
            {"text", SHAPE_TEXT, true}}},
    {"series", 64,
        {{"name", SHAPE_TEXT, true}, {"unit", SHAPE_TEXT, true}, {"start", SHAPE_TIME, true},
            {"step_s", SHAPE_NUMBER, true}, {"values", SHAPE_VALUES, true},
            {"expected", SHAPE_VALUES, false}, {"threshold", SHAPE_VALUES, false}}},
    {"sites", 64,
        {{"site", SHAPE_TEXT, true}, {"state", SHAPE_TEXT, true},
            {"sources", SHAPE_NUMBER, true}, {"normal", SHAPE_NUMBER, true},
            {"first", SHAPE_TIME, false}, {"lag_s", SHAPE_NUMBER, false}}},
    {"forecasts", 64,
        {{"site", SHAPE_TEXT, true}, {"state", SHAPE_TEXT, true}, {"made", SHAPE_TIME, true},
            {"expected", SHAPE_TIME, true}, {"low", SHAPE_TIME, true},
            {"high", SHAPE_TIME, true}, {"chance", SHAPE_NUMBER, true},
            {"came", SHAPE_TIME, false}}},
    {"blocks", EVIDENCE_BLOCKS,
        {{"name", SHAPE_TEXT, true}, {"unit", SHAPE_TEXT, true}, {"across", SHAPE_TEXT, true},
            {"columns", SHAPE_LABELS, true}, {"cells", SHAPE_CELLS, true},
            {"rows_in", SHAPE_NUMBER, true}, {"columns_in", SHAPE_NUMBER, true},
            {"hosts", SHAPE_LABELS, false}, {"row_weights", SHAPE_VALUES, false},
            {"column_weights", SHAPE_VALUES, false}}},
};

enum {
    ARRAYS = sizeof arrays / sizeof *arrays
};

static bool is_values(const json_t *value)
{
    size_t count = json_array_size(value);
    bool good = json_is_array(value) && count <= VALUES_MAX;
    for (size_t i = 0; good && i < count; i++) {
        const json_t *item = json_array_get(value, i);
        good = json_is_number(item) || json_is_null(item);
    }
    return good;
}

static bool is_labels(const json_t *value)
{
    size_t count = json_array_size(value);
    bool good = json_is_array(value) && count <= EVIDENCE_ROWS;
    for (size_t i = 0; good && i < count; i++)
        good = json_string_length(json_array_get(value, i)) < EVIDENCE_LABEL &&
               json_is_string(json_array_get(value, i));
    return good;
}

static bool is_cells(const json_t *value)
{
    size_t count = json_array_size(value);
    bool good = json_is_array(value) && count <= EVIDENCE_ROWS;
    for (size_t i = 0; good && i < count; i++)
        good = is_values(json_array_get(value, i));
    return good;
}

static bool has_shape(const json_t *value, enum shape shape)
{
    int64_t time;
    switch (shape) {
    case SHAPE_TEXT:
        return json_is_string(value) && json_string_length(value) <= TEXT_MAX;
    case SHAPE_NUMBER:
        return json_is_number(value);
    case SHAPE_TIME:
        return json_is_string(value) && time_parse(json_string_value(value), &time) == OK;
    case SHAPE_VALUES:
        return is_values(value);
    case SHAPE_LABELS:
        return is_labels(value);
    case SHAPE_CELLS:
        return is_cells(value);
    }
    return false;
}

static bool row_is_good(const json_t *row, const struct field *fields)
{
    if (!json_is_object(row))
        return false;
    size_t known = 0;
    for (size_t i = 0; i < FIELDS_MAX && fields[i].name; i++) {
        const json_t *value = json_object_get(row, fields[i].name);
        if (!value && fields[i].needed)
            return false;
        if (value && !has_shape(value, fields[i].shape))
            return false;
        known += value != NULL;
    }
    return known == json_object_size(row);
}

/* An array that is there has as many members as that. */
static bool is_as_long(const json_t *block, const char *name, size_t count)
{
    const json_t *array = json_object_get(block, name);
    return !array || json_array_size(array) == count;
}

/* A whole number that is no more than that. */
static bool is_at_most(const json_t *block, const char *name, size_t count)
{
    double value = json_number_value(json_object_get(block, name));
    return value >= 0.0 && value <= (double)count && value == floor(value);
}

/* Of the form that the table says; do its parts fit each other? */
static bool block_fits(const json_t *block)
{
    const json_t *cells = json_object_get(block, "cells");
    size_t rows = json_array_size(cells);
    size_t columns = json_array_size(json_object_get(block, "columns"));
    bool good = rows && columns && columns <= EVIDENCE_COLUMNS &&
                is_as_long(block, "hosts", rows) && is_as_long(block, "row_weights", rows) &&
                is_as_long(block, "column_weights", columns) &&
                is_at_most(block, "rows_in", rows) && is_at_most(block, "columns_in", columns);
    for (size_t i = 0; good && i < rows; i++)
        good = json_array_size(json_array_get(cells, i)) == columns;
    return good;
}

static bool engine_is_good(const json_t *evidence)
{
    if (!json_is_object(evidence))
        return false;
    size_t known = 0;
    for (size_t i = 0; i < ARRAYS; i++) {
        const json_t *rows = json_object_get(evidence, arrays[i].name);
        if (!rows)
            continue;
        known++;
        if (!json_is_array(rows) || json_array_size(rows) > arrays[i].most)
            return false;
        for (size_t k = 0; k < json_array_size(rows); k++)
            if (!row_is_good(json_array_get(rows, k), arrays[i].fields))
                return false;
    }
    const json_t *blocks = json_object_get(evidence, "blocks");
    for (size_t k = 0; k < json_array_size(blocks); k++)
        if (!block_fits(json_array_get(blocks, k)))
            return false;
    return known == json_object_size(evidence);
}

enum err evidence_check(const json_t *value, struct fault *f)
{
    if (!json_is_object(value) || json_object_size(value) > ALERT_ENGINES)
        return fault_set(f, ERR_BAD, "evidence: not an object of at most 8 engines");
    const char *engine;
    json_t *evidence;
    json_object_foreach((json_t *)(uintptr_t)value, engine, evidence)
    {
        if (!engine_is_good(evidence))
            return fault_set(f, ERR_BAD, "evidence: %.15s: not of the allowed form", engine);
    }
    return OK;
}
