/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A plugin of QEMU that counts instructions and estimates cycles, by region of the program and by function.
 *
 *     qemu-system-arm ... -plugin file=PLUGIN,core=m0|m3|m4,out=FILE.json
 *
 * A region is entered and left through three moves of a register to itself, which change nothing:
 *
 *     enter: mov r9, r9   ; mov rA, rA ; mov rB, rB       A = id & 7, B = id >> 3
 *     leave: mov r10, r10 ; mov rA, rA ; mov rB, rB
 *
 * FILE.json lists what each pass through each region took; functions are counted in region 0 alone.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instruction.h"
#include "qemu.h"
#include "timing.h"

EXPORT int qemu_plugin_version = PLUGIN_VERSION;

enum { REGIONS = 64, ENTER = 9, LEAVE = 10, HASH_SLOTS = 16384 };

static enum core core = CORTEX_M4;
static char *out_path;

struct counts {
    uint64_t instructions, cycles;
};

static struct counts minus(struct counts a, struct counts b) {
    return (struct counts){ a.instructions - b.instructions, a.cycles - b.cycles };
}

/* Instructions without a jump between them, as QEMU translates them at once. */
struct block {
    struct block *next; /* of the same hash slot */
    uint64_t start, end;
    uint32_t hash;
    size_t len;
    struct counts all;
    struct instruction first, last;
    /* In region 0: how often it ran, and what jumps and neighbours added. */
    uint64_t runs, extra;
    const char **symbols;
    uint16_t *cycles;
};

/* One of the moves that mark a region. */
struct mark {
    const struct block *block;
    int reg;
    struct counts before, up_to; /* of the block, without and with the move */
};

struct region {
    int depth;
    struct counts entered;
    struct counts *passes;
    size_t len, capacity;
};

static struct block *blocks[HASH_SLOTS];
static struct block *previous;
static struct region regions[REGIONS];
/* Everything so far, the whole of the block that is running included. */
static struct counts total;

static void *reserve(void *memory, size_t *capacity, size_t len, size_t size) {
    if (len < *capacity) return memory;
    *capacity = *capacity ? 2 * *capacity : 64;
    memory = realloc(memory, *capacity * size);
    if (!memory) abort();
    return memory;
}

static void on_block(unsigned cpu, void *data) {
    struct block *block = data;
    if (cpu) return;
    bool listed = regions[0].depth > 0;
    if (previous) {
        int extra;
        if (block->start != previous->end) extra = previous->last.branches ? jump(core, &previous->last) : EXCEPTION;
        else extra = previous->last.branches ? 0 : after(core, &previous->last, &block->first);
        total.cycles += extra;
        if (listed) previous->extra += extra;
    }
    total.instructions += block->all.instructions;
    total.cycles += block->all.cycles;
    block->runs += listed;
    previous = block;
}

static void enter(struct region *region, const struct mark *mark) {
    if (region->depth++ == 0) region->entered = minus(total, minus(mark->block->all, mark->up_to));
}

static void leave(struct region *region, const struct mark *mark) {
    if (region->depth == 0 || --region->depth > 0) return;
    struct counts now = minus(total, minus(mark->block->all, mark->before));
    /* The first two moves of the mark lie before this third one. */
    struct counts moves = { 2, 2 };
    region->passes = reserve(region->passes, &region->capacity, region->len, sizeof *region->passes);
    region->passes[region->len++] = minus(minus(now, moves), region->entered);
}

static void on_mark(unsigned cpu, void *data) {
    static int kind, low;
    const struct mark *mark = data;
    if (cpu) return;
    if (mark->reg == ENTER || mark->reg == LEAVE) {
        kind = mark->reg;
        low = -1;
    } else if (kind && low < 0) {
        low = mark->reg;
    } else if (kind) {
        struct region *region = &regions[low | mark->reg << 3];
        if (kind == ENTER) enter(region, mark);
        else leave(region, mark);
        kind = 0;
    }
}

/* The register of a move to itself that may be part of a mark, or -1. */
static int marked_register(uint16_t op) {
    int to = (op >> 4 & 8) | (op & 7), from = op >> 3 & 15;
    bool marks = (op & 0xff00) == 0x4600 && to == from && (to < 8 || to == ENTER || to == LEAVE);
    return marks ? to : -1;
}

/* The halves of an instruction. Before one that crosses a page QEMU may give another length: it is not looked at. */
static void read_instruction(const struct qemu_plugin_insn *instruction, uint16_t halves[2]) {
    uint8_t bytes[4] = { 0 };
#if PLUGIN_VERSION < 3
    const uint8_t *data = qemu_plugin_insn_data(instruction);
    memcpy(bytes, data, 2);
    if (is_wide(bytes[0] | bytes[1] << 8)) memcpy(bytes + 2, data + 2, 2);
#else
    qemu_plugin_insn_data(instruction, bytes, sizeof bytes);
#endif
    halves[0] = bytes[0] | bytes[1] << 8;
    halves[1] = bytes[2] | bytes[3] << 8;
}

static struct block *find_block(uint64_t start, size_t len, uint32_t hash, bool *fresh) {
    struct block **slot = &blocks[(start >> 1) % HASH_SLOTS];
    for (struct block *block = *slot; block; block = block->next) {
        if (block->start == start && block->len == len && block->hash == hash) return block;
    }
    struct block *block = calloc(1, sizeof *block);
    if (!block) abort();
    *block = (struct block){ .next = *slot, .start = start, .hash = hash, .len = len };
    block->symbols = calloc(len, sizeof *block->symbols);
    block->cycles = calloc(len, sizeof *block->cycles);
    if (!block->symbols || !block->cycles) abort();
    *fresh = true;
    return *slot = block;
}

static uint32_t hash_of(const struct qemu_plugin_tb *translated, size_t len) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < len; i++) {
        uint16_t halves[2];
        read_instruction(qemu_plugin_tb_get_insn(translated, i), halves);
        for (int half = 0; half < 2; half++) hash = (hash ^ halves[half]) * 16777619u;
    }
    return hash;
}

static void mark_instruction(struct qemu_plugin_insn *at, const struct block *block, int reg, struct counts before,
                             struct counts up_to) {
    struct mark *mark = malloc(sizeof *mark);
    if (!mark) abort();
    *mark = (struct mark){ block, reg, before, up_to };
    qemu_plugin_register_vcpu_insn_exec_cb(at, on_mark, QEMU_PLUGIN_CB_NO_REGS, mark);
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *translated) {
    (void)id;
    size_t len = qemu_plugin_tb_n_insns(translated);
    bool fresh = false;
    struct block *block =
        find_block(qemu_plugin_tb_vaddr(translated), len, hash_of(translated, len), &fresh);
    struct counts sum = { 0, 0 };
    struct instruction before;
    for (size_t i = 0; i < len; i++) {
        struct qemu_plugin_insn *at = qemu_plugin_tb_get_insn(translated, i);
        uint16_t halves[2];
        read_instruction(at, halves);
        struct instruction instruction = decode(halves[0], halves[1]);
        int cycles = own_cycles(core, &instruction) + (i ? after(core, &before, &instruction) : 0);
        struct counts without = sum;
        sum.instructions += 1;
        sum.cycles += cycles > 0 ? cycles : 0;
        int reg = marked_register(halves[0]);
        if (reg >= 0) mark_instruction(at, block, reg, without, sum);
        if (fresh) {
            const char *symbol = qemu_plugin_insn_symbol(at);
            block->symbols[i] = symbol && *symbol ? strdup(symbol) : "?";
            block->cycles[i] = sum.cycles - without.cycles;
        }
        if (i == 0) block->first = instruction;
        block->last = before = instruction;
        block->end = qemu_plugin_insn_vaddr(at) + instruction.size;
    }
    block->all = sum;
    qemu_plugin_register_vcpu_tb_exec_cb(translated, on_block, QEMU_PLUGIN_CB_NO_REGS, block);
}

struct function {
    const char *name;
    struct counts counts;
};

struct functions {
    struct function *list;
    size_t len, capacity;
};

static struct function *function_named(struct functions *functions, const char *name) {
    for (size_t i = 0; i < functions->len; i++) {
        if (!strcmp(functions->list[i].name, name)) return &functions->list[i];
    }
    functions->list = reserve(functions->list, &functions->capacity, functions->len, sizeof *functions->list);
    functions->list[functions->len] = (struct function){ name, { 0, 0 } };
    return &functions->list[functions->len++];
}

static int by_cycles(const void *left, const void *right) {
    const struct function *a = left, *b = right;
    if (a->counts.cycles != b->counts.cycles) return a->counts.cycles < b->counts.cycles ? 1 : -1;
    return strcmp(a->name, b->name);
}

static struct functions all_functions(void) {
    struct functions functions = { 0 };
    for (int slot = 0; slot < HASH_SLOTS; slot++) {
        for (const struct block *block = blocks[slot]; block; block = block->next) {
            for (size_t i = 0; block->runs && i < block->len; i++) {
                struct function *function = function_named(&functions, block->symbols[i]);
                function->counts.instructions += block->runs;
                function->counts.cycles += block->runs * block->cycles[i] + (i == block->len - 1 ? block->extra : 0);
            }
        }
    }
    if (functions.len) qsort(functions.list, functions.len, sizeof *functions.list, by_cycles);
    return functions;
}

static void write_report(qemu_plugin_id_t id, void *data) {
    (void)id, (void)data;
    FILE *file = out_path ? fopen(out_path, "w") : NULL;
    if (!file) {
        fprintf(stderr, "cycles: cannot write %s\n", out_path ? out_path : "without out=FILE");
        return;
    }
    fprintf(file, "{\"regions\":[");
    const char *comma = "";
    for (int id = 0; id < REGIONS; id++) {
        const struct region *region = &regions[id];
        if (!region->len) continue;
        fprintf(file, "%s\n{\"id\":%d,\"passes\":[", comma, id);
        for (size_t i = 0; i < region->len; i++) {
            struct counts pass = region->passes[i];
            fprintf(file, "%s[%" PRIu64 ",%" PRIu64 "]", i ? "," : "", pass.instructions, pass.cycles);
        }
        fprintf(file, "]}");
        comma = ",";
    }
    fprintf(file, "],\n\"functions\":[");
    struct functions functions = all_functions();
    for (size_t i = 0; i < functions.len; i++) {
        const struct function *function = &functions.list[i];
        fprintf(file, "%s\n{\"name\":\"%s\",\"instructions\":%" PRIu64 ",\"cycles\":%" PRIu64 "}", i ? "," : "",
                function->name, function->counts.instructions, function->counts.cycles);
    }
    fprintf(file, "]}\n");
    fclose(file);
}

/* Sets what `argument`, of the form key=value, says. */
static bool set_option(char *argument) {
    char *value = strchr(argument, '=');
    if (!value) return false;
    *value++ = 0;
    if (!strcmp(argument, "out")) return (out_path = strdup(value)) != NULL;
    if (strcmp(argument, "core")) return false;
    static const char *const names[] = { [CORTEX_M0] = "m0", [CORTEX_M3] = "m3", [CORTEX_M4] = "m4" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!strcmp(value, names[i])) {
            core = (enum core)i;
            return true;
        }
    }
    return false;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        if (!set_option(argv[i])) {
            fprintf(stderr, "cycles: unknown option %s\n", argv[i]);
            return -1;
        }
    }
    if (strcmp(info->target_name, "arm")) {
        fprintf(stderr, "cycles: %s is no Arm\n", info->target_name);
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, write_report, NULL);
    return 0;
}
