#include "cmd/editor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum err editor_open(struct editor *ret_editor, const json_t *value, struct fault *f)
{
    struct editor e = {.path = "/tmp/kizashi-XXXXXX.json"};
    int fd = mkstemps(e.path, 5);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file)
        return fault_set(f, ERR_IO, "%s: %s", e.path, strerror(errno));
    struct buf lines;
    buf_init(&lines, 1 << 20);
    json_write_lines(&lines, value);
    int status = lines.err || fwrite(lines.data, 1, lines.len, file) != lines.len;
    fputs("\n", file);
    buf_done(&lines);
    if (fclose(file) != 0 || status != 0) {
        unlink(e.path);
        return fault_set(f, ERR_IO, "%s: cannot be written", e.path);
    }
    e.made = true;
    *ret_editor = e;
    return OK;
}

void editor_close(struct editor *e)
{
    if (e->made)
        unlink(e->path);
    e->made = false;
}

static const char *program(void)
{
    const char *visual = getenv("VISUAL");
    const char *name = visual && *visual ? visual : getenv("EDITOR");
    return name && *name ? name : "editor";
}

/* By the shell, because people write EDITOR="emacs -nw". */
static enum err spawn(const char *path, struct fault *f)
{
    char line[512];
    if (snprintf(line, sizeof line, "exec %s \"$1\"", program()) >= (int)sizeof line)
        return fault_set(f, ERR_RANGE, "the name of the editor is too long");
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", line, "sh", path, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (child < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return fault_set(f, ERR_IO, "the editor (%s) failed; set EDITOR", program());
    return OK;
}

enum err editor_file_read(const char *path, struct buf *out, struct fault *f)
{
    char part[4096];
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "r");
    if (!file)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    size_t got;
    while ((got = fread(part, 1, sizeof part, file)) > 0)
        buf_put(out, part, got);
    bool broken = ferror(file) != 0;
    if (!standard)
        fclose(file);
    if (broken)
        return fault_set(f, ERR_IO, "%s: cannot be read", path);
    return out->err ? fault_set(f, out->err, "%s: longer than %zu bytes", path, out->cap) : OK;
}

enum err editor_run(struct editor *e, struct buf *out, struct fault *f)
{
    enum err err = spawn(e->path, f);
    return err ? err : editor_file_read(e->path, out, f);
}

enum err editor_again(struct fault *f)
{
    char line[16];
    if (!isatty(STDIN_FILENO))
        return ERR_STOPPED;
    fprintf(stderr, "Edit again? [Y/n] ");
    if (!fgets(line, sizeof line, stdin) || line[0] == 'n' || line[0] == 'N')
        return fault_set(f, ERR_STOPPED, "nothing was changed");
    return OK;
}
