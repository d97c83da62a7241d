#ifndef FLEET_IMAGE_INT_H
#define FLEET_IMAGE_INT_H

#include <stddef.h>

/* A file to generate; @MEMBER@ stands for a value. */
struct image_file {
    const char *name;
    unsigned mode;
    const char *text;
};

extern const struct image_file image_files[];
extern const size_t image_file_count;

#endif
