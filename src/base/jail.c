#include "base/jail.h"

#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define JAIL_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define JAIL_ARCH AUDIT_ARCH_AARCH64
#else
#error "name the AUDIT_ARCH of this machine"
#endif

enum {
    PROGRAM_CAP = 1024,
    FILES_WANTED = 65536,
    SOCKET_TYPE = 0xf,         /* without SOCK_CLOEXEC and SOCK_NONBLOCK */
    SOCKET_PACKET_OF_OLD = 10, /* SOCK_PACKET */
    X32_CALLS = 0x40000000     /* numbers of the 32-bit interface on x86_64 start here */
};

#define ALLOW     SECCOMP_RET_ALLOW
#define REFUSE    (SECCOMP_RET_ERRNO | EPERM)
#define UNKNOWN   (SECCOMP_RET_ERRNO | ENOSYS)
#define NO_FAMILY (SECCOMP_RET_ERRNO | EAFNOSUPPORT)
#define KILL      SECCOMP_RET_KILL_PROCESS

enum test {
    ALWAYS,
    EQUALS, /* (argument & mask) == value */
    HAS     /* (argument & mask) != 0 */
};

/* One rule; the first that fits decides. Arguments are compared in their low 32 bits. */
struct rule {
    long call;
    enum test test;
    unsigned argument;
    uint32_t mask, value;
    uint32_t action;
};

#define NAMESPACES                                                                             \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
        CLONE_NEWPID | CLONE_NEWNET)

static const struct rule server_rules[] = {
    /* Netlink is how the C library learns which addresses the machine has. */
    {SYS_socket, EQUALS, 0, UINT32_MAX, AF_UNIX, ALLOW},
    {SYS_socket, EQUALS, 0, UINT32_MAX, AF_NETLINK, ALLOW},
    {SYS_socket, EQUALS, 1, SOCKET_TYPE, SOCK_RAW, REFUSE},
    {SYS_socket, EQUALS, 1, SOCKET_TYPE, SOCKET_PACKET_OF_OLD, REFUSE},
    {SYS_socket, EQUALS, 0, UINT32_MAX, AF_INET, ALLOW},
    {SYS_socket, EQUALS, 0, UINT32_MAX, AF_INET6, ALLOW},
    {SYS_socket, ALWAYS, 0, 0, 0, NO_FAMILY},
    /* The C library falls back from clone3, whose flags cannot be looked at, to clone. */
    {SYS_clone, HAS, 0, NAMESPACES, 0, REFUSE},
    {SYS_clone3, ALWAYS, 0, 0, 0, UNKNOWN},
    {SYS_unshare, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_setns, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_execve, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_execveat, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_ptrace, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_process_vm_readv, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_process_vm_writev, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_pidfd_getfd, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_mount, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_umount2, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_pivot_root, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_chroot, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_move_mount, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_open_tree, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_fsopen, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_fsmount, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_open_by_handle_at, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_swapon, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_swapoff, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_quotactl, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_acct, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_reboot, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_kexec_load, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_kexec_file_load, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_init_module, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_finit_module, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_delete_module, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_bpf, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_perf_event_open, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_userfaultfd, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_io_uring_setup, ALWAYS, 0, 0, 0, UNKNOWN},
    {SYS_add_key, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_request_key, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_keyctl, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_settimeofday, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_clock_settime, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_clock_adjtime, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_sethostname, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_setdomainname, ALWAYS, 0, 0, 0, REFUSE},
#ifdef SYS_iopl
    {SYS_iopl, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_ioperm, ALWAYS, 0, 0, 0, REFUSE},
    {SYS_modify_ldt, ALWAYS, 0, 0, 0, REFUSE},
#endif
};

static const struct rule parser_rules[] = {
    {SYS_read, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_write, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_readv, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_writev, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_lseek, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_close, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_fstat, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_newfstatat, ALWAYS, 0, 0, 0, ALLOW}, /* fstat() of newer C libraries */
    {SYS_ppoll, ALWAYS, 0, 0, 0, ALLOW},
#ifdef SYS_poll
    {SYS_poll, ALWAYS, 0, 0, 0, ALLOW},
#endif
    {SYS_mmap, HAS, 2, PROT_EXEC, 0, REFUSE},
    {SYS_mmap, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_mprotect, HAS, 2, PROT_EXEC, 0, REFUSE},
    {SYS_mprotect, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_munmap, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_mremap, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_madvise, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_brk, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_futex, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_sched_yield, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_clock_gettime, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_clock_nanosleep, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_nanosleep, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_restart_syscall, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_getrandom, ALWAYS, 0, 0, 0, ALLOW},
    /* What a failed assertion needs to say so and to end. */
    {SYS_getpid, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_gettid, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_tgkill, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_rt_sigprocmask, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_rt_sigaction, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_rt_sigreturn, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_sigaltstack, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_exit, ALWAYS, 0, 0, 0, ALLOW},
    {SYS_exit_group, ALWAYS, 0, 0, 0, ALLOW},
};

static const struct profile {
    const struct rule *rules;
    size_t count;
    uint32_t otherwise;
} profiles[] = {
    [JAIL_SERVER] = {server_rules, sizeof server_rules / sizeof *server_rules, ALLOW},
    [JAIL_PARSER] = {parser_rules, sizeof parser_rules / sizeof *parser_rules, KILL},
};

struct program {
    struct sock_filter code[PROGRAM_CAP];
    unsigned short len;
};

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
    assert(p->len < PROGRAM_CAP);
    p->code[p->len++] = (struct sock_filter){.code = code, .jt = yes, .jf = no, .k = k};
}

static void emit_load(struct program *p, size_t offset)
{
    emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void emit_return(struct program *p, uint32_t action)
{
    emit(p, BPF_RET | BPF_K, action, 0, 0);
}

/* The call's number is loaded before and after; jumps that do not fit lead to the next rule. */
static void emit_rule(struct program *p, const struct rule *r)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)r->call, 0, r->test == ALWAYS ? 1 : 5);
    if (r->test == ALWAYS) {
        emit_return(p, r->action);
        return;
    }
    /* Both machines are little-endian: the low half of an argument comes first. */
    emit_load(p, offsetof(struct seccomp_data, args) + r->argument * sizeof(uint64_t));
    emit(p, BPF_ALU | BPF_AND | BPF_K, r->mask, 0, 0);
    if (r->test == EQUALS)
        emit(p, BPF_JMP | BPF_JEQ | BPF_K, r->value, 0, 1);
    else
        emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    emit_return(p, r->action);
    emit_load(p, offsetof(struct seccomp_data, nr));
}

static void program_make(struct program *p, const struct profile *profile)
{
    p->len = 0;
    emit_load(p, offsetof(struct seccomp_data, arch));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, JAIL_ARCH, 1, 0);
    emit_return(p, KILL);
    emit_load(p, offsetof(struct seccomp_data, nr));
    emit(p, BPF_JMP | BPF_JGE | BPF_K, X32_CALLS, 0, 1);
    emit_return(p, KILL);
    for (size_t i = 0; i < profile->count; i++)
        emit_rule(p, &profile->rules[i]);
    emit_return(p, profile->otherwise);
}

const char *jail_user_default(void)
{
    return getpwnam("kizashi") ? "kizashi" : "nobody";
}

static enum err refused(struct fault *f, const char *step)
{
    return fault_set(f, ERR_IO, "giving up privileges: %s: %s", step, strerror(errno));
}

static enum err limits_set(struct fault *f)
{
    const struct rlimit none = {0, 0};
    struct rlimit files;
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return refused(f, "forbidding core files");
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return refused(f, "reading the limit of open files");
    files.rlim_cur = files.rlim_max < FILES_WANTED ? files.rlim_max : FILES_WANTED;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        return refused(f, "raising the limit of open files");
    return OK;
}

/* Root that stays root keeps its files, and nothing else. What follows forbids new privileges,
 * so that no program it could start would have capabilities again. */
static enum err capabilities_drop(struct fault *f)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[2] = {{0}, {0}};
    if (syscall(SYS_capset, &header, none) != 0)
        return refused(f, "dropping capabilities");
    return OK;
}

static enum err root_leave(const char *user, struct fault *f)
{
    if (geteuid() != 0)
        return capabilities_drop(f);
    const struct passwd *entry = getpwnam(user);
    if (!entry)
        return fault_set(f, ERR_NOTFOUND, "there is no user \"%s\" to run as", user);
    if (entry->pw_uid == 0)
        return capabilities_drop(f);
    if (setgroups(0, NULL) != 0)
        return refused(f, "leaving all groups");
    if (setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0)
        return refused(f, "changing the group");
    if (setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0)
        return refused(f, "changing the user");
    assert(setuid(0) != 0); /* the way back is closed */
    return OK;
}

enum err jail_enter(const struct jail *jail, struct fault *f)
{
    enum err e = limits_set(f);
    if (!e)
        e = root_leave(jail->user ? jail->user : jail_user_default(), f);
    if (e)
        return e;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return refused(f, "forbidding new privileges");
    struct program program;
    program_make(&program, &profiles[jail->level]);
    struct sock_fprog all = {.len = program.len, .filter = program.code};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &all) != 0)
        return refused(f, "filtering system calls");
    return OK;
}
