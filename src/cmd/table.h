#ifndef CMD_TABLE_H
#define CMD_TABLE_H

#include "base/json.h"

#include <stdbool.h>
#include <stdio.h>

/* Print an array of JSON objects as a table for people: a column for each member of the first
 * row, numbers to the right. Lists inside rows are joined with commas. */
void table_print(FILE *out, const json_t *rows);

#endif
