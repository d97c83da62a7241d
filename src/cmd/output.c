#include "cmd/output.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum err output_open(FILE **ret_file, const char *option, const char *path, struct fault *f)
{
    struct stat there;
    if (stat(path, &there) == 0 && S_ISREG(there.st_mode) && there.st_size > 0)
        return fault_set(
            f, ERR_BAD, "%s %s: is there already, and is not written over", option, path);
    FILE *file = fopen(path, "w");
    if (!file)
        return fault_set(f, ERR_BAD, "%s %s: %s", option, path, strerror(errno));
    *ret_file = file;
    return OK;
}
