/* Configuration files in YAML, with options of every type. */
#include "cmd/config_file.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct conf_item items[] = {
    {.name = "data", .type = CONF_TEXT, .arg = "DIR", .text = "A folder."},
    {.name = "site", .type = CONF_LIST, .arg = "NAME", .text = "Sites."},
    {.name = "set", .type = CONF_LIST, .arg = "X", .text = "Settings."},
    {.name = "port", .type = CONF_COUNT, .arg = "PORT", .max = 65535, .text = "A port."},
    {.name = "demo", .type = CONF_FLAG, .text = "A switch."},
    {.name = NULL},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct conf *conf;
    struct fault f = {0};
    int fd = memfd_create("config", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || conf_new(&conf, items) != OK)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    enum err e = config_file_read(conf, path, &f);
    if (e && !f.text[0])
        abort();
    conf_free(conf);
    close(fd);
    return 0;
}
