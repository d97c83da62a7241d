#include "cmd/table.h"
#include "test.h"

static json_t *two_rows(void)
{
    return json_pack("[{s:s, s:i, s:[s, s]}, {s:s, s:i, s:n}]", "site", "jp-01", "packets", 12,
        "ports", "23", "2323", "site", "k", "packets", 3456, "ports");
}

/* What `print` writes, to be freed. */
static char *printed(void (*print)(FILE *out, const json_t *rows), const json_t *rows)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    print(out, rows);
    fclose(out);
    return text;
}

static void print_lines(FILE *out, const json_t *rows)
{
    table_rows(out, rows, true);
}

static void print_table(FILE *out, const json_t *rows)
{
    table_rows(out, rows, false);
}

static void numbers_stand_to_the_right_and_lists_have_commas(void **state)
{
    (void)state;
    json_t *rows = two_rows();
    char *text = printed(print_table, rows);
    assert_string_equal(text, "site   packets  ports\n"
                              "jp-01       12  23,2323\n"
                              "k         3456  \n");
    free(text);
    json_decref(rows);
}

static void lines_are_one_value_each(void **state)
{
    (void)state;
    json_t *rows = two_rows();
    char *text = printed(print_lines, rows);
    assert_string_equal(text,
        "{\"site\":\"jp-01\",\"packets\":12,\"ports\":[\"23\",\"2323\"]}\n"
        "{\"site\":\"k\",\"packets\":3456,\"ports\":null}\n");
    free(text);
    json_decref(rows);
}

static void no_value_is_an_empty_line(void **state)
{
    (void)state;
    char *text = printed(table_line, NULL);
    assert_string_equal(text, "\n");
    free(text);
}

static const struct CMUnitTest tests[] = {
    SAYS("in a table numbers stand to the right, and lists have commas",
        numbers_stand_to_the_right_and_lists_have_commas),
    SAYS("as JSON every row is a line", lines_are_one_value_each),
    SAYS("no value is an empty line", no_value_is_an_empty_line),
};
TEST_MAIN(tests)
