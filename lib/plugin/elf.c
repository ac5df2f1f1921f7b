/* The first bytes of an ELF file: for which machine it is. */
#include "elf.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What all classes of ELF begin with. */
typedef struct elf_head {
    unsigned char ident[EI_NIDENT];
    uint16_t type, machine;
} elf_head;

static bool read_head(const char *path, elf_head *ret_head, sluice_error *err)
{
    struct stat info = {0};
    memset(ret_head, 0, sizeof *ret_head);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        sluice_fail(err, SLUICE_BAD_CONFIG, "'%s' cannot be loaded: %s", path,
                    fd < 0 ? strerror(errno) : "it is not a file");
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    ssize_t got = read(fd, ret_head, sizeof *ret_head);
    close(fd);
    if (got < (ssize_t)sizeof *ret_head ||
        memcmp(ret_head->ident, ELFMAG, SELFMAG) != 0) {
        sluice_fail(err, SLUICE_BAD_CONFIG,
                    "'%s' is not a plugin: it is no ELF file, as shared libraries are",
                    path);
        return false;
    }
    return true;
}

static const char *machine_name(uint16_t machine)
{
    switch (machine) {
    case EM_386:
        return "i386";
    case EM_X86_64:
        return "x86-64";
    case EM_ARM:
        return "ARM";
    case EM_AARCH64:
        return "AArch64";
    case EM_RISCV:
        return "RISC-V";
    case EM_PPC64:
        return "PowerPC64";
    case EM_S390:
        return "S/390";
    default:
        return "another";
    }
}

sluice_status elf_check(const char *path, sluice_error *err)
{
    elf_head own, head;
    if (!read_head(path, &head, err)) {
        return SLUICE_BAD_CONFIG;
    }
    if (!read_head("/proc/self/exe", &own, NULL)) { /* Its machine is this one. */
        return SLUICE_OK; /* Without /proc the loader has the last word. */
    }
    bool same =
        memcmp(head.ident, own.ident, EI_VERSION) == 0 && head.machine == own.machine;
    return same
               ? SLUICE_OK
               : sluice_fail(err, SLUICE_BAD_CONFIG,
                             "'%s' was built for another machine: %s (ELF %d, %d bit), "
                             "not %s",
                             path, machine_name(head.machine), head.machine,
                             head.ident[EI_CLASS] == ELFCLASS32 ? 32 : 64,
                             machine_name(own.machine));
}
