#ifndef CMD_TABLE_H
#define CMD_TABLE_H

#include "base/json.h"

#include <stdbool.h>
#include <stdio.h>

/* Print an array of JSON objects as a table for people: a column for each member of the first
 * row, numbers to the right. Lists inside rows are joined with commas. */
void table_print(FILE *out, const json_t *rows);

/* One row for programs: its JSON as a line. NULL, for want of memory, is an empty line. */
void table_line(FILE *out, const json_t *row);

/* Rows for programs, a line each, or as a table for people. */
void table_rows(FILE *out, const json_t *rows, bool as_json);

#endif
