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
    [IMAGE_FILTER] = LETTERS "-_./:+*()[]<>=!&| ",
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

/* The option of a member. */
struct option {
    char name[24];
};

static struct option option_of(const struct row *row)
{
    struct option o;
    snprintf(o.name, sizeof o.name, "--%s", row->name);
    for (char *c = o.name; *c; c++)
        if (*c == '_')
            *c = '-';
    return o;
}

/* What has to be given, as has_form() and the alphabets have it. */
static const char *const forms[] = {
    [IMAGE_NAME] = "letters, digits and - _ . are taken, such as eth1",
    [IMAGE_ADDRESS] = "an IPv4 address is needed, such as 10.9.0.1",
    [IMAGE_MAC] = "six pairs of hexadecimal digits are needed, such as 52:54:00:12:34:56",
    [IMAGE_NUMBER] = "1 to 65535, such as 8069",
    [IMAGE_HOST] = "the name of a host is needed, such as debian.example.org",
    [IMAGE_PATH] = "letters, digits and - _ . / + ~ are taken, such as /dev/sda",
    [IMAGE_FILTER] = "pcap-filter(7) without quotes, such as dst net 198.51.100.0/24",
    [IMAGE_URL] = "https:// and a host are needed, such as https://hub.example.org:8480",
    [IMAGE_WORD] = "what kizashi site add printed is needed",
    [IMAGE_KEY] = "one line of a public key is needed, such as ssh-ed25519 AAAA... operator",
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
            return fault_set(f, ERR_BAD, "%s must be given", option_of(row).name);
        if (!*value)
            *value = row->initial;
        if (!**value && row->initial && !row->initial[0])
            continue;
        if (strlen(*value) > row->most || !**value ||
            strspn(*value, alphabets[row->alphabet]) != strlen(*value) ||
            !has_form(row, *value))
            return fault_set(f, ERR_BAD, "%s: \"%.60s\" will not do: %s, at most %zu bytes",
                option_of(row).name, *value, forms[row->alphabet], row->most);
    }
    enum err e = range_check(&checked, f);
    if (!e && checked.filter[0])
        e = filter_words_check(checked.filter, f);
    if (!e)
        *v = checked;
    return e;
}

/* ---- texts ---- */

#define POLICY    "policy.json"
#define AUTHORITY "hub-ca.pem"

struct making {
    const struct image_values *values;
    char folder[PATH_MAX];
    bool made; /* the folder, by us */
    struct fault *fault;
};

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* What is made of the values and stands in the texts, too. */
static const char *made_of(const struct making *m, const char *name)
{
    const struct image_values *v = m->values;
    const struct {
        const char *name, *text;
    } made[] = {
        {"package_name", file_name(v->package)},
        {"policy_name", v->policy[0] ? POLICY : ""},
        {"hub_ca_name", v->hub_ca[0] ? AUTHORITY : ""},
        {"hub_ca_option", v->hub_ca[0] ? " --hub-ca /etc/kizashi/" AUTHORITY : ""},
    };
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        if (strcmp(made[i].name, name) == 0)
            return made[i].text;
    return NULL;
}

static const char *value_of(const struct making *m, const char *name)
{
    struct image_values copy = *m->values;
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return *place(&copy, &rows[i]);
    return made_of(m, name);
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
        char name[24];
        size_t len = strcspn(text + 1, "@\n");
        bool fits = text[1 + len] == '@' && len < sizeof name;
        snprintf(name, sizeof name, "%.*s", fits ? (int)len : 0, text + 1);
        const char *value = fits ? value_of(m, name) : NULL;
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

/* `hint`: where one that is missing is to be had. */
static enum err copy(const struct making *m, const char *from, const char *to, const char *hint)
{
    char path[PATH_MAX + 64];
    char part[65536];
    snprintf(path, sizeof path, "%s/%s", m->folder, to);
    FILE *in = fopen(from, "rbe");
    if (!in)
        return fault_set(m->fault, ERR_NOTFOUND, "%s: %s%s", from, strerror(errno), hint);
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
    static const char boot[] = "; Debian's package ipxe has it, --boot names another folder";
    static const char installer[] =
        "; Debian's package debian-installer-12-netboot-amd64 has it, --installer names "
        "another folder";
    const struct image_values *v = m->values;
    const struct {
        const char *from[2]; /* with a slash between; without the first: nothing */
        const char *to[2];
        const char *hint;
    } files[] = {
        {{v->boot, "undionly.kpxe"}, {"tftp", "undionly.kpxe"}, boot},
        {{v->boot, "ipxe.efi"}, {"tftp", "ipxe.efi"}, boot},
        {{v->installer, "linux"}, {"http", "linux"}, installer},
        {{v->installer, "initrd.gz"}, {"http", "initrd.gz"}, installer},
        {{v->package, NULL}, {"http", file_name(v->package)}, ""},
        {{v->policy, NULL}, {"http", POLICY}, ""},
        {{v->hub_ca, NULL}, {"http", AUTHORITY}, ""},
    };
    char from[PATH_MAX], to[256];
    enum err e = OK;
    for (size_t i = 0; i < sizeof files / sizeof *files && !e; i++) {
        if (!files[i].from[0][0])
            continue;
        const char *name = files[i].from[1];
        snprintf(
            from, sizeof from, "%s%s%s", files[i].from[0], name ? "/" : "", name ? name : "");
        snprintf(to, sizeof to, "%s/%s", files[i].to[0], files[i].to[1]);
        e = copy(m, from, to, files[i].hint);
    }
    return e;
}

static enum err folders_make(struct making *m, const char *folder)
{
    static const char *const below[] = {"", "/http", "/tftp"};
    char path[PATH_MAX + 8];
    for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
        snprintf(path, sizeof path, "%.4000s%s", folder, below[i]);
        if (mkdir(path, 0700) != 0)
            return fault_set(m->fault, errno == EEXIST ? ERR_EXISTS : ERR_IO, "%s: %s", path,
                strerror(errno));
        m->made = true;
    }
    if (!realpath(folder, m->folder))
        return fault_set(m->fault, ERR_IO, "%s: %s", folder, strerror(errno));
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
