/* Makes system calls fail: LD_PRELOAD a shared object of this, and call disk_faults(RULES), or name them in C2LLM_DISK_FAULTS.

   A rule is CALL:ERRNO:PATH:SKIP:COUNT:FROM:TO, several are separated by commas. CALL is read, write, lock, flock, mmap or fsync;
   PATH is part of the name of the file, or #INODE; the first SKIP calls succeed, the COUNT after them fail (-1: all). Reads fail
   that touch a byte from FROM on and before TO (0: any). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define RULES 16

struct rule { char call[16]; int error; char path[128]; long skip; long count; long from; long to; atomic_long seen; };
static struct rule rules[RULES];
static int rule_count;

void disk_faults(const char *text) {
    char copy[4096], *at = copy, *one;
    rule_count = 0;
    if (strlen(text) >= sizeof copy) return;
    strcpy(copy, text);
    while ((one = strsep(&at, ",")) != NULL && rule_count < RULES) {
        struct rule *rule = &rules[rule_count];
        rule->seen = 0;
        if (sscanf(one, "%15[^:]:%d:%127[^:]:%ld:%ld:%ld:%ld", rule->call, &rule->error, rule->path, &rule->skip, &rule->count,
                   &rule->from, &rule->to) == 7)
            rule_count++;
    }
}

__attribute__((constructor)) static void from_environment(void) {
    const char *text = getenv("C2LLM_DISK_FAULTS");
    if (text != NULL) disk_faults(text);
}

static int matches(struct rule *rule, int fd, const char *path) {
    struct stat status;
    if (rule->path[0] != '#') return strstr(path, rule->path) != NULL;
    return fstat(fd, &status) == 0 && (long)status.st_ino == atol(rule->path + 1);
}

/* Whether a call fails that is about SIZE bytes at AT; -1 for calls that are about a whole file. */
static int fails(const char *call, int fd, long at, long size) {
    char link[64], path[4096];
    if (rule_count == 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    for (int i = 0; i < rule_count; i++) {
        struct rule *rule = &rules[i];
        if (strcmp(rule->call, call) != 0 || !matches(rule, fd, path)) continue;
        if (at >= 0 && rule->to > 0 && (at >= rule->to || at + size <= rule->from)) continue;
        long seen = atomic_fetch_add(&rule->seen, 1);
        if (seen >= rule->skip && (rule->count < 0 || seen < rule->skip + rule->count)) { errno = rule->error; return 1; }
    }
    return 0;
}
static int fd_fails(const char *call, int fd) { return fails(call, fd, -1, 0); }

#define REAL(name) static __typeof__(&name) real; if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t pread(int fd, void *to, size_t size, off_t at) {
    REAL(pread);
    return fails("read", fd, at, size) ? -1 : real(fd, to, size, at);
}
ssize_t pread64(int fd, void *to, size_t size, off64_t at) {
    REAL(pread64);
    return fails("read", fd, at, size) ? -1 : real(fd, to, size, at);
}
ssize_t read(int fd, void *to, size_t size) {
    REAL(read);
    return rule_count > 0 && fails("read", fd, lseek(fd, 0, SEEK_CUR), size) ? -1 : real(fd, to, size);
}
ssize_t pwrite(int fd, const void *from, size_t size, off_t at) {
    REAL(pwrite);
    return fd_fails("write", fd) ? -1 : real(fd, from, size, at);
}
ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) {
    REAL(pwrite64);
    return fd_fails("write", fd) ? -1 : real(fd, from, size, at);
}
int fsync(int fd) {
    REAL(fsync);
    return fd_fails("fsync", fd) ? -1 : real(fd);
}
int fdatasync(int fd) {
    REAL(fdatasync);
    return fd_fails("fsync", fd) ? -1 : real(fd);
}
int flock(int fd, int operation) {
    REAL(flock);
    return fd_fails("flock", fd) ? -1 : real(fd, operation);
}
static int locks(int command) { return command == F_SETLK || command == F_SETLKW; }
int fcntl(int fd, int command, ...) {
    REAL(fcntl);
    va_list rest; va_start(rest, command); void *argument = va_arg(rest, void *); va_end(rest);
    return locks(command) && fd_fails("lock", fd) ? -1 : real(fd, command, argument);
}
int fcntl64(int fd, int command, ...) {
    REAL(fcntl64);
    va_list rest; va_start(rest, command); void *argument = va_arg(rest, void *); va_end(rest);
    return locks(command) && fd_fails("lock", fd) ? -1 : real(fd, command, argument);
}
void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
    REAL(mmap);
    return fd >= 0 && fd_fails("mmap", fd) ? MAP_FAILED : real(at, size, protection, flags, fd, offset);
}
void *mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset) {
    REAL(mmap64);
    return fd >= 0 && fd_fails("mmap", fd) ? MAP_FAILED : real(at, size, protection, flags, fd, offset);
}
