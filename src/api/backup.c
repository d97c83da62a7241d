#include "api/handler_int.h"

#include "api/api_int.h"

#include <stdio.h>

enum err handle_backup(struct request *r)
{
    struct api *a = r->api;
    const struct api_backup *backup = &a->parts.backup;
    struct catalog_audit row = {.time = r->now, .what = "backup"};
    if (!backup->make) {
        reply_problem(r, 404, NULL, NULL, "this hub makes no backups");
        return OK;
    }
    if (atomic_flag_test_and_set(&a->backing_up)) {
        reply_problem(r, 409, NULL, NULL, "a backup is being made already");
        return OK;
    }
    snprintf(row.who, sizeof row.who, "%.63s", r->who.label);
    enum err e = catalog_audit_add(a->parts.catalog, &row, &r->fault);
    if (!e)
        e = backup->make(backup->context, arg(r, P_TURN)->given, &r->fault);
    atomic_flag_clear(&a->backing_up);
    if (e == ERR_BUSY)
        reply_problem(r, 409, NULL, NULL, "another backup is being made");
    else if (e)
        reply_problem(r, 500, NULL, NULL, "%s", r->fault.text);
    else
        r->reply.status = 204;
    return OK;
}
