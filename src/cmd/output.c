#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err failed(const struct output *o, enum err e, const char *why, struct fault *f)
{
    return fault_set(f, e, "%s %s: %s", o->option, o->path, why);
}

/* What is there already, if nothing can be lost by it. */
static enum err there_open(const struct output *o, int *ret_file, struct fault *f)
{
    struct stat there;
    int file = open(o->path, O_WRONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &there) != 0) {
        enum err e = failed(o, ERR_BAD, strerror(errno), f);
        if (file >= 0)
            close(file);
        return e;
    }
    if (S_ISREG(there.st_mode) && there.st_size > 0) {
        close(file);
        return failed(o, ERR_BAD, "is there already, and is not written over", f);
    }
    *ret_file = file;
    return OK;
}

enum err output_open(
    struct output *ret_output, const char *option, const char *path, struct fault *f)
{
    struct output o = {.option = option, .path = path};
    enum err e = OK;
    if (strcmp(path, "-") == 0) {
        o.file = stdout;
        *ret_output = o;
        return OK;
    }
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    o.made = file >= 0;
    if (!o.made && errno == EEXIST)
        e = there_open(&o, &file, f);
    else if (!o.made)
        e = failed(&o, ERR_BAD, strerror(errno), f);
    if (e)
        return e;
    o.file = fdopen(file, "w");
    if (!o.file) {
        close(file);
        return failed(&o, ERR_NOMEM, strerror(errno), f);
    }
    *ret_output = o;
    return OK;
}

enum err output_write(struct output *o, const struct buf *text, struct fault *f)
{
    if (text->err)
        return failed(o, text->err, err_text(text->err), f);
    if (text->len && fwrite(text->data, 1, text->len, o->file) != text->len)
        return failed(o, ERR_IO, strerror(errno), f);
    return OK;
}

/* As it was before, as far as a file can be. */
static void take_back(const struct output *o)
{
    struct stat there;
    if (!o->made && (stat(o->path, &there) != 0 || !S_ISREG(there.st_mode)))
        return;
    if (o->made || truncate(o->path, 0) != 0)
        unlink(o->path);
}

enum err output_close(struct output *o, enum err run, struct fault *f)
{
    if (!o->file)
        return run;
    FILE *file = o->file;
    o->file = NULL;
    bool broken = ferror(file) != 0;
    errno = 0;
    broken |= file == stdout ? fflush(file) != 0 : fclose(file) != 0;
    int code = errno ? errno : EIO;
    if (file != stdout && (run || broken))
        take_back(o);
    return !run && broken ? failed(o, ERR_IO, strerror(code), f) : run;
}
