#ifndef ENGINE_COUNTRIES_H
#define ENGINE_COUNTRIES_H

#include <stdint.h>

/* How many sources have which country. */
struct countries {
    uint32_t sources[26 * 26]; /* by two letters */
};

/* Adds a source. What does not begin with two small letters is no country. */
void countries_add(struct countries *c, const char code[2]);

/* The country that most sources have, of equal ones the first by code, which is taken out.
 * Returns how many they are; 0: there are none left. */
uint32_t countries_most(struct countries *c, char ret_code[3]);

#endif
