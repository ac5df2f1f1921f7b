/* The encoder: compiled schemas by their ids, and the envelope around a payload. */
#include "arena.h"
#include "base/memory.h"
#include "json/program.h"
#include "json/run.h"
#include <stdlib.h>
#include <string.h>

/* Compiled schemas in an open table; emptied when it is full, which only happens to a
 * source that changes its schemas all the time. */
typedef struct slot {
    uint64_t id; /* 0: free. */
    json_program *program;
} slot;

struct sluice_json_encoder {
    sluice_json_options options;
    slot *slots;
    size_t slot_count; /* A power of two, at least twice `options.schemas_max`. */
    size_t used;
    slot last; /* The same schema comes again and again. */
};

sluice_json_encoder *sluice_json_encoder_new(const sluice_json_options *options)
{
    sluice_json_encoder *encoder = memory_zero(sizeof *encoder);
    encoder->options = *options;
    size_t wanted = options->schemas_max < 1 ? 1 : (size_t)options->schemas_max;
    wanted = wanted > 65536 ? 65536 : wanted;
    encoder->slot_count = 16;
    while (encoder->slot_count < 2 * wanted) {
        encoder->slot_count *= 2;
    }
    encoder->slots = memory_zero(encoder->slot_count * sizeof *encoder->slots);
    return encoder;
}

static void forget_all(sluice_json_encoder *encoder)
{
    for (size_t i = 0; i < encoder->slot_count; i++) {
        json_program_free(encoder->slots[i].program);
        encoder->slots[i] = (slot){0};
    }
    encoder->used = 0;
    encoder->last = (slot){0};
}

void sluice_json_encoder_free(sluice_json_encoder *encoder)
{
    if (encoder != NULL) {
        forget_all(encoder);
        free(encoder->slots);
        free(encoder);
    }
}

/* The slot of `id`: its own, or the free one where it belongs. */
static slot *slot_of(sluice_json_encoder *encoder, uint64_t id)
{
    size_t mask = encoder->slot_count - 1;
    size_t index = (size_t)(id * UINT64_C(0x9E3779B97F4A7C15) >> 32) & mask;
    while (encoder->slots[index].id != 0 && encoder->slots[index].id != id) {
        index = (index + 1) & mask;
    }
    return &encoder->slots[index];
}

static sluice_status find(sluice_json_encoder *encoder, const sluice_schema *schema,
                          json_program **ret_program, sluice_error *err)
{
    uint64_t id = sluice_schema_id(schema);
    if (encoder->last.id == id) {
        *ret_program = encoder->last.program;
        return SLUICE_OK;
    }
    slot *found = slot_of(encoder, id);
    if (found->id == 0) {
        if (encoder->used >= encoder->slot_count / 2) {
            forget_all(encoder);
            found = slot_of(encoder, id);
        }
        sluice_status status =
            json_program_new(schema, &encoder->options, &found->program, err);
        if (status != SLUICE_OK) {
            found->program = NULL;
            return status;
        }
        found->id = id;
        encoder->used++;
    }
    encoder->last = *found;
    *ret_program = found->program;
    return SLUICE_OK;
}

static sluice_status encode_schemaless(sluice_json_encoder *encoder,
                                       const sluice_value *value, sluice_arena *arena,
                                       sluice_bytes *ret_bytes, sluice_error *err)
{
    if (value == NULL) {
        *ret_bytes = (sluice_bytes){NULL, 0};
        return SLUICE_OK;
    }
    json_writer out;
    json_writer_init(&out, arena, 256);
    if (encoder->options.schemas) {
        json_literal(&out, "{\"schema\":null,\"payload\":");
    }
    sluice_status status = json_run_schemaless(&out, value, err);
    if (encoder->options.schemas) {
        json_char(&out, '}');
    }
    *ret_bytes = json_writer_finish(&out);
    return status;
}

/* The memos of a program, without those of values that are gone. */
static json_memo *memos_for(json_program *program, const sluice_arena *arena)
{
    uint64_t epoch = arena_epoch(arena);
    if (program->memo_epoch != epoch) {
        memset(program->memos, 0, program->memo_count * sizeof *program->memos);
        program->memo_epoch = epoch;
    }
    return program->memos;
}

sluice_status sluice_json_encode(sluice_json_encoder *encoder,
                                 const sluice_schema *schema, const sluice_value *value,
                                 sluice_arena *arena, sluice_bytes *ret_bytes,
                                 sluice_error *err)
{
    if (schema == NULL) {
        return encode_schemaless(encoder, value, arena, ret_bytes, err);
    }
    json_program *program = NULL;
    sluice_status status = find(encoder, schema, &program, err);
    if (status != SLUICE_OK) {
        return status;
    }
    json_writer out;
    json_writer_init(&out, arena, program->size_hint);
    out.memos = memos_for(program, arena);
    if (encoder->options.schemas) {
        json_raw(&out, program->head, program->head_len);
    }
    status = json_run(&out, program->root, &encoder->options, value, err);
    if (encoder->options.schemas) {
        json_char(&out, '}');
    }
    *ret_bytes = json_writer_finish(&out);
    size_t hint = ret_bytes->len + ret_bytes->len / 8;
    if (hint > program->size_hint) {
        program->size_hint = hint < 65536 ? hint : 65536;
    }
    return status;
}
