/* Runs one fuzz target over every file of the folders named on the command line, in name order,
 * each from an exact-size copy so that the sanitizers see the edge; and over every prefix of
 * each small file. A folder that is not there holds nothing. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PREFIX_CAP = 2048,
    FILE_CAP = 1 << 24
};

static void run_exact(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    if (size)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_file(const char *path, int number)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(FILE_CAP);
    if (!f || !data) {
        printf("not ok %d - %s cannot be read\n", number, path);
        exit(1);
    }
    size_t size = fread(data, 1, FILE_CAP, f);
    fclose(f);
    run_exact(data, size);
    for (size_t cut = 0; size <= PREFIX_CAP && cut < size; cut++)
        run_exact(data, cut);
    free(data);
    const char *name = strrchr(path, '/');
    printf("ok %d - survives %s and its prefixes\n", number, name ? name + 1 : path);
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    int number = 0;
    for (int i = 1; i < argc; i++) {
        struct dirent **entries;
        int count = scandir(argv[i], &entries, not_hidden, alphasort);
        for (int k = 0; k < count; k++) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], entries[k]->d_name);
            run_file(path, ++number);
            free(entries[k]);
        }
        if (count >= 0)
            free(entries);
    }
    if (!number)
        printf("not ok 1 - there is at least one seed\n");
    printf("1..%d\n", number ? number : 1);
    return number ? 0 : 1;
}
