#ifndef GEO_COUNTRY_H
#define GEO_COUNTRY_H

/* What people call the country of an ISO 3166-1 code of two letters, in either case: "South
 * Korea" for "kr". NULL for a code that stands for none. */
const char *country_name(const char *code);

enum {
    COUNTRY_TEXT = 48
};

/* The name, or the code in capitals where there is no name, or "an unknown country" for "".
 * Returns `text`. */
const char *country_format(const char *code, char text[COUNTRY_TEXT]);

#endif
