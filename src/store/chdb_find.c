#include "store/chdb_find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A path that does not begin with "/" is taken from the folder of the running program; from
 * the build folder's src/cmd, the top of the checkout is three up, from tests/unit/store four.
 */
static const char *const places[] = {
    "../lib/kizashi/libchdb.so",
    "../../../var/chdb/libchdb.so",
    "../../../../var/chdb/libchdb.so",
    "/usr/local/lib/kizashi/libchdb.so",
    "/usr/local/lib/libchdb.so",
    "/usr/lib/kizashi/libchdb.so",
    "/usr/lib/libchdb.so",
#if defined __x86_64__
    "/usr/lib/x86_64-linux-gnu/libchdb.so",
#elif defined __aarch64__
    "/usr/lib/aarch64-linux-gnu/libchdb.so",
#endif
};

static void folder_of_program(char folder[CHDB_PATH])
{
    ssize_t len = readlink("/proc/self/exe", folder, CHDB_PATH - 1);
    folder[len > 0 ? len : 0] = 0;
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = 0;
}

static enum err take(
    const char *path, const char *who, char ret_path[CHDB_PATH], struct fault *f)
{
    if (access(path, R_OK) != 0 || strlen(path) >= CHDB_PATH)
        return fault_set(f, ERR_NOTFOUND, "%s: %s cannot be read", who, path);
    snprintf(ret_path, CHDB_PATH, "%s", path);
    return OK;
}

enum err chdb_find(const char *option, char ret_path[CHDB_PATH], struct fault *f)
{
    const char *named = getenv("KIZASHI_CHDB");
    if (option)
        return take(option, "library of the store", ret_path, f);
    if (named && *named)
        return take(named, "KIZASHI_CHDB", ret_path, f);
    char folder[CHDB_PATH];
    char path[2 * CHDB_PATH];
    folder_of_program(folder);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (places[i][0] == '/')
            snprintf(path, sizeof path, "%s", places[i]);
        else
            snprintf(path, sizeof path, "%s/%s", folder, places[i]);
        if (take(path, "", ret_path, NULL) == OK)
            return OK;
    }
    return fault_set(f, ERR_NOTFOUND,
        "libchdb.so, the store's engine, is not installed: looked at $KIZASHI_CHDB, "
        "../lib/kizashi beside the program, var/chdb of the checkout, /usr/local/lib, "
        "/usr/lib; script/bootstrap fetches it");
}
