#include "fleet/image.h"

#include "base/buf.h"
#include "base/ip.h"
#include "base/tree.h"
#include "fleet/filter.h"
#include "fleet/image_int.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TEXT_MAX = 64 << 10
};

static const struct row {
    const char *name;
    enum image_alphabet alphabet;
    size_t most;
    const char *initial;
    size_t offset;
} rows[] = {
#define X(member, alphabet, most, initial, text)                                               \
    {#member, alphabet, most, initial, offsetof(struct image_values, member)},
    IMAGE_VALUES(X)
#undef X
};

enum {
    ROWS = sizeof rows / sizeof *rows
};

/* ---- values ---- */

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* None of these has a meaning in a shell, in dnsmasq's or in the installer's files. */
static const char *const alphabets[] = {
    [IMAGE_NAME] = LETTERS "-_.",
    [IMAGE_ADDRESS] = "0123456789.",
    [IMAGE_MAC] = "0123456789abcdefABCDEF:",
    [IMAGE_NUMBER] = "0123456789",
    [IMAGE_HOST] = LETTERS "-.:",
    [IMAGE_PATH] = LETTERS "-_./+~",
    [IMAGE_URL] = LETTERS "-_.:/[]",
    [IMAGE_WORD] = LETTERS "-_.",
    [IMAGE_KEY] = LETTERS "-_./+=@ ",
};

static const char **place(struct image_values *v, const struct row *row)
{
    return (const char **)(void *)((char *)v + row->offset);
}

static bool has_form(const struct row *row, const char *value)
{
    struct ip ip;
    if (row->alphabet == IMAGE_ADDRESS)
        return ip_parse(value, &ip) == OK;
    if (row->alphabet == IMAGE_MAC)
        return filter_is_ether(value);
    if (row->alphabet == IMAGE_NUMBER)
        return strtol(value, NULL, 10) > 0 && strtol(value, NULL, 10) < 65536;
    if (row->alphabet == IMAGE_URL)
        return strncmp(value, "https://", 8) == 0;
    return value[0] != '-';
}

static const char *const examples[] = {
    [IMAGE_NAME] = "eth1",
    [IMAGE_ADDRESS] = "10.9.0.1",
    [IMAGE_MAC] = "52:54:00:12:34:56",
    [IMAGE_NUMBER] = "8069",
    [IMAGE_HOST] = "debian.example.org",
    [IMAGE_PATH] = "/dev/sda",
    [IMAGE_URL] = "https://hub.example.org:8480",
    [IMAGE_WORD] = "what kizashi site add printed",
    [IMAGE_KEY] = "ssh-ed25519 AAAA... operator",
};

/* Both are addresses. */
static enum err range_check(const struct image_values *v, struct fault *f)
{
    struct ip first, last;
    if (ip_parse(v->first, &first) != OK || ip_parse(v->last, &last) != OK ||
        memcmp(&first, &last, sizeof first) > 0)
        return fault_set(f, ERR_BAD, "--last: %s comes before --first %s", v->last, v->first);
    return OK;
}

enum err image_check(struct image_values *v, struct fault *f)
{
    struct image_values checked = *v;
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *row = &rows[i];
        const char **value = place(&checked, row);
        if (!*value && !row->initial)
            return fault_set(f, ERR_BAD, "--%s must be given", row->name);
        if (!*value)
            *value = row->initial;
        if (!**value && row->initial && !row->initial[0])
            continue;
        if (strlen(*value) > row->most || !**value ||
            strspn(*value, alphabets[row->alphabet]) != strlen(*value) ||
            !has_form(row, *value))
            return fault_set(f, ERR_BAD,
                "--%s: \"%.60s\" will not do: at most %zu of %s, such as %s", row->name, *value,
                row->most, alphabets[row->alphabet], examples[row->alphabet]);
    }
    enum err e = range_check(&checked, f);
    if (!e)
        *v = checked;
    return e;
}

/* ---- texts ---- */

struct making {
    const struct image_values *values;
    char folder[PATH_MAX];
    bool made; /* the folder, by us */
    struct fault *fault;
};

static const char *value_of(const struct making *m, const char *name, size_t len)
{
    struct image_values copy = *m->values;
    static const char folder[] = "folder";
    static const char package[] = "package_name";
    if (len == strlen(folder) && memcmp(name, folder, len) == 0)
        return m->folder;
    if (len == strlen(package) && memcmp(name, package, len) == 0) {
        const char *slash = strrchr(m->values->package, '/');
        return slash ? slash + 1 : m->values->package;
    }
    for (size_t i = 0; i < ROWS; i++)
        if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
            return *place(&copy, &rows[i]);
    return NULL;
}

/* @NAME@ becomes the value; another @ stays. */
static void fill(const struct making *m, const char *text, struct buf *out)
{
    while (*text) {
        size_t plain = strcspn(text, "@");
        buf_put(out, text, plain);
        text += plain;
        if (!*text)
            return;
        size_t len = strcspn(text + 1, "@\n");
        const char *value = text[1 + len] == '@' ? value_of(m, text + 1, len) : NULL;
        buf_str(out, value ? value : "@");
        text += value ? len + 2 : 1;
    }
}

static enum err file_write(const struct making *m, const struct image_file *file)
{
    char path[PATH_MAX + 64];
    struct buf text;
    snprintf(path, sizeof path, "%s/%s", m->folder, file->name);
    buf_init(&text, TEXT_MAX);
    fill(m, file->text, &text);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file->mode);
    bool whole = fd >= 0 && !text.err && write(fd, text.data, text.len) == (ssize_t)text.len;
    if (fd >= 0)
        whole = close(fd) == 0 && whole;
    buf_done(&text);
    return whole ? OK : fault_set(m->fault, ERR_IO, "%s: %s", path, strerror(errno));
}

/* ---- files of others ---- */

static enum err copy(const struct making *m, const char *from, const char *to)
{
    char path[PATH_MAX + 64];
    char part[65536];
    snprintf(path, sizeof path, "%s/%s", m->folder, to);
    FILE *in = fopen(from, "rbe");
    if (!in)
        return fault_set(m->fault, ERR_NOTFOUND, "%s: %s", from, strerror(errno));
    FILE *out = fopen(path, "wbxe");
    bool whole = out != NULL;
    size_t got;
    while (whole && (got = fread(part, 1, sizeof part, in)) > 0)
        whole = fwrite(part, 1, got, out) == got;
    whole = whole && !ferror(in);
    fclose(in);
    if (out)
        whole = fclose(out) == 0 && whole;
    return whole ? OK : fault_set(m->fault, ERR_IO, "%s: %s", path, strerror(errno));
}

static enum err copy_all(const struct making *m)
{
    const struct image_values *v = m->values;
    const struct {
        const char *folder, *name, *to;
    } files[] = {
        {v->boot, "undionly.kpxe", "tftp"},
        {v->boot, "ipxe.efi", "tftp"},
        {v->installer, "linux", "http"},
        {v->installer, "initrd.gz", "http"},
    };
    char from[PATH_MAX], to[64];
    enum err e = OK;
    for (size_t i = 0; i < sizeof files / sizeof *files && !e; i++) {
        snprintf(from, sizeof from, "%s/%s", files[i].folder, files[i].name);
        snprintf(to, sizeof to, "%s/%s", files[i].to, files[i].name);
        e = copy(m, from, to);
    }
    if (!e && v->package[0]) {
        snprintf(from, sizeof from, "http/%s", value_of(m, "package_name", 12));
        e = copy(m, v->package, from);
    }
    return e;
}

static enum err folders_make(struct making *m, const char *folder)
{
    static const char *const below[] = {"", "/http", "/tftp"};
    char path[PATH_MAX + 8];
    char whole[PATH_MAX];
    for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
        snprintf(path, sizeof path, "%.4000s%s", folder, below[i]);
        if (mkdir(path, 0700) != 0)
            return fault_set(m->fault, errno == EEXIST ? ERR_EXISTS : ERR_IO, "%s: %s", path,
                strerror(errno));
        m->made = true;
    }
    if (!realpath(folder, whole) || strspn(whole, alphabets[IMAGE_PATH]) != strlen(whole))
        return fault_set(m->fault, ERR_BAD,
            "%s: a folder whose path has letters, digits and - _ . / + ~ only is needed",
            folder);
    memcpy(m->folder, whole, strlen(whole) + 1);
    return OK;
}

enum err image_write(const struct image_values *checked, const char *folder, struct fault *f)
{
    struct making m = {.values = checked, .fault = f};
    enum err e = folders_make(&m, folder);
    for (size_t i = 0; i < image_file_count && !e; i++)
        e = file_write(&m, &image_files[i]);
    if (!e)
        e = copy_all(&m);
    enum err removed = e && m.made ? tree_remove(folder, NULL) : OK;
    (void)removed; /* what was wrong before is told */
    return e;
}
