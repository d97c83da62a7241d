/* kizashi-ipmi: asks one management controller one thing. A program of its own, because
 * FreeIPMI is under the GPL (version 3): what is linked here is, too. It reads one line of JSON
 * from its standard input, so that no password is ever an argument, and writes one line. */
#include <freeipmi/freeipmi.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum {
    LINE = 4096,
    SESSION_MS = 8000,
    RETRY_MS = 1000
};

static int tell_error(const char *text, int denied)
{
    json_t *answer = json_pack("{s:s, s:b}", "error", text, "denied", denied);
    json_dumpf(answer, stdout, JSON_COMPACT);
    json_decref(answer);
    return 1;
}

static int tell_context(ipmi_ctx_t ctx)
{
    int number = ipmi_ctx_errnum(ctx);
    int denied = number == IPMI_ERR_USERNAME_INVALID || number == IPMI_ERR_PASSWORD_INVALID ||
                 number == IPMI_ERR_PRIVILEGE_LEVEL_INSUFFICIENT ||
                 number == IPMI_ERR_PRIVILEGE_LEVEL_CANNOT_BE_OBTAINED;
    return tell_error(ipmi_ctx_errormsg(ctx), denied);
}

/* Suite 17 (SHA-256) where the controller has it, else 3 (SHA-1), both with AES; and each once
 * more with the privilege in the first message, which some controllers want to be the user's.
 */
static int session_open(
    ipmi_ctx_t ctx, const char *address, const char *user, const char *password)
{
    static const struct {
        uint8_t suite;
        unsigned int workaround;
    } tries[] = {
        {17, 0},
        {3, 0},
        {17, IPMI_WORKAROUND_FLAGS_OUTOFBAND_2_0_OPEN_SESSION_PRIVILEGE},
        {3, IPMI_WORKAROUND_FLAGS_OUTOFBAND_2_0_OPEN_SESSION_PRIVILEGE},
    };
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        if (ipmi_ctx_open_outofband_2_0(ctx, address, user, password, NULL, 0,
                IPMI_PRIVILEGE_LEVEL_OPERATOR, tries[i].suite, SESSION_MS, RETRY_MS,
                tries[i].workaround, 0) >= 0)
            return 0;
        int number = ipmi_ctx_errnum(ctx);
        if (number == IPMI_ERR_CONNECTION_TIMEOUT || number == IPMI_ERR_SESSION_TIMEOUT ||
            number == IPMI_ERR_PASSWORD_INVALID || number == IPMI_ERR_USERNAME_INVALID)
            return -1; /* asking again changes nothing */
    }
    return -1;
}

/* The command of an action; -1: only ask. */
static int command_of(const char *action)
{
    static const struct {
        const char *name;
        int command;
    } rows[] = {
        {"on", IPMI_CHASSIS_CONTROL_POWER_UP},
        {"off", IPMI_CHASSIS_CONTROL_POWER_DOWN},
        {"cycle", IPMI_CHASSIS_CONTROL_POWER_CYCLE},
        {"reset", IPMI_CHASSIS_CONTROL_HARD_RESET},
        {"shutdown", IPMI_CHASSIS_CONTROL_INITIATE_SOFT_SHUTDOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, action) == 0)
            return rows[i].command;
    return -1;
}

static int power_is_on(ipmi_ctx_t ctx, int *ret_on)
{
    uint64_t value = 0;
    fiid_obj_t answer = fiid_obj_create(tmpl_cmd_get_chassis_status_rs);
    int good = answer && ipmi_cmd_get_chassis_status(ctx, answer) >= 0 &&
               fiid_obj_get(answer, "current_power_state.power_is_on", &value) > 0;
    fiid_obj_destroy(answer);
    *ret_on = value != 0;
    return good;
}

static int do_action(ipmi_ctx_t ctx, const char *action)
{
    int on = 0;
    int command = command_of(action);
    int good = 1;
    if (command >= 0) {
        fiid_obj_t answer = fiid_obj_create(tmpl_cmd_chassis_control_rs);
        good = answer && ipmi_cmd_chassis_control(ctx, (uint8_t)command, answer) >= 0;
        fiid_obj_destroy(answer);
    }
    if (!good || !power_is_on(ctx, &on))
        return tell_context(ctx);
    json_t *answer = json_pack("{s:b}", "on", on);
    json_dumpf(answer, stdout, JSON_COMPACT);
    json_decref(answer);
    return 0;
}

static int ask(const json_t *question)
{
    const char *address = json_string_value(json_object_get(question, "address"));
    const char *user = json_string_value(json_object_get(question, "user"));
    const char *password = json_string_value(json_object_get(question, "password"));
    const char *action = json_string_value(json_object_get(question, "action"));
    if (!address || !user || !password || !action)
        return tell_error("the question is not complete", 0);
    ipmi_ctx_t ctx = ipmi_ctx_create();
    if (!ctx)
        return tell_error("out of memory", 0);
    int status = session_open(ctx, address, user, password) < 0 ? tell_context(ctx)
                                                                : do_action(ctx, action);
    ipmi_ctx_close(ctx);
    ipmi_ctx_destroy(ctx);
    return status;
}

int main(void)
{
    char line[LINE];
    prctl(PR_SET_DUMPABLE, 0);
    if (!fgets(line, sizeof line, stdin))
        return tell_error("nothing was asked", 0);
    json_t *question = json_loads(line, 0, NULL);
    explicit_bzero(line, sizeof line);
    int status = question ? ask(question) : tell_error("the question is not JSON", 0);
    json_decref(question);
    return status;
}
