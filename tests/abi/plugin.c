/* A tiny plugin that is right, or, with one of the macros below, wrong in one way. */
#include <signal.h>
#include <sluice/plugin.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef NAME
#define NAME "abi-good"
#endif

typedef struct settings {
    int32_t number;
} settings;

#ifdef BAD_CRASH
__attribute__((constructor)) static void crash(void)
{
    raise(SIGKILL); /* No handler can hide it, a sanitizer's neither. */
}
#endif

#ifdef BAD_EXIT
__attribute__((constructor)) static void leave(void)
{
    _exit(7);
}
#endif

#ifdef BAD_HANG
__attribute__((constructor)) static void hang(void)
{
    for (;;) {
        pause();
    }
}
#endif

#ifdef BAD_UNDEFINED
int sluice_missing(void);
#endif

static sluice_status create(const void *config, sluice_task *task, void **ret_self,
                            sluice_error *err)
{
    (void)config, (void)task, (void)err;
    *ret_self = NULL;
#ifdef BAD_UNDEFINED
    return sluice_missing() ? SLUICE_OK : SLUICE_FATAL;
#else
    return SLUICE_OK;
#endif
}

static void destroy(void *self)
{
    (void)self;
}

__attribute__((unused)) static sluice_status poll_nothing(void *self, sluice_batch *out,
                                                          sluice_error *err)
{
    (void)self, (void)out, (void)err;
    return SLUICE_OK;
}

#ifdef OLDER
/* The operations as they were before the last one was added. */
typedef struct older_ops {
    size_t size;
    sluice_status (*split)(const void *config, int max_tasks,
                           sluice_props *const *tasks, int *ret_count,
                           sluice_error *err);
    sluice_status (*create)(const void *config, sluice_task *task, void **ret_self,
                            sluice_error *err);
    void (*destroy)(void *self);
    sluice_status (*poll)(void *self, sluice_batch *out, sluice_error *err);
} older_ops;
static const older_ops older = {sizeof older, NULL, create, destroy, poll_nothing};
#define OPS (const sluice_source_ops *)(const void *)&older
#else
static const sluice_source_ops ops = {
    .size = sizeof ops,
    .create = create,
    .destroy = destroy,
#ifdef BAD_OPERATION
    .committed = NULL,
#else
    .poll = poll_nothing,
#endif
};
#define OPS &ops
#endif

static const sluice_key keys[] = {
    {.name = "number",
#ifdef BAD_DEFAULT
     .fallback = "many",
#else
     .fallback = "5",
#endif
#ifndef BAD_DOC
     .doc = "A number.",
#endif
     .group = "Common",
     .type = SLUICE_INT,
#ifdef BAD_OFFSET
     .offset = sizeof(settings)
#else
     .offset = SLUICE_AT(int32_t, settings, number)
#endif
    },
#ifdef BAD_TWICE
    {.name = "number", .fallback = "5", .doc = "A number.", .type = SLUICE_INT},
#endif
    {.name = "jvm.heap", .unused = "there is no virtual machine"},
    {.name = NULL}};

static const sluice_config config = {.size = sizeof config,
                                     .key_size = sizeof(sluice_key),
                                     .struct_size = sizeof(settings),
                                     .keys = keys};

static const char *const aliases[] = {"org.example." ALIAS "Connector", NULL};

static const sluice_feature feature = {.size = sizeof feature,
#ifdef BAD_KIND
                                       .kind = (sluice_kind)77,
#else
                                       .kind = SLUICE_SOURCE,
#endif
                                       .name = NAME,
                                       .summary = "Makes nothing.",
                                       .aliases = aliases,
                                       .config = &config,
                                       .ops.source = OPS};

static const sluice_feature *const features[] = {&feature, NULL};

#ifndef MAGIC
#define MAGIC SLUICE_MAGIC
#endif
#ifndef MAJOR
#define MAJOR SLUICE_ABI_MAJOR
#endif
#ifndef MINOR
#define MINOR SLUICE_ABI_MINOR
#endif
#ifndef SIZE
#define SIZE sizeof(sluice_manifest)
#endif
#ifndef SYMBOL
#define SYMBOL sluice_plugin_manifest
#endif

extern __attribute__((visibility("default"))) const sluice_manifest SYMBOL;
const sluice_manifest SYMBOL = {.magic = MAGIC,
                                .abi_major = MAJOR,
                                .abi_minor = MINOR,
                                .size = SIZE,
                                .name = "abi",
                                .version = "1.0",
                                .license = "Apache-2.0",
                                .features = features};
