/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "timing.h"

/* The refill of the pipeline takes 1 to 3 cycles, by the alignment and width of the target. */
enum { REFILL = 2 };

int own_cycles(enum core core, const struct instruction *i) {
    if (core == CORTEX_M0) {
        if (i->kind == LOAD || i->kind == STORE) return 2;
        if (i->kind == OTHER && i->size == 4) return 4;
    }
    if (core == CORTEX_M3 && i->kind == MULTIPLY) {
        static const int cycles[] = { [SINGLE] = 1, [WITH_ADDEND] = 2, [LONG] = 4, [LONG_WITH_ADDEND] = 6 };
        return cycles[i->product];
    }
    return i->cycles + (core != CORTEX_M0 && i->kind == STORE && i->register_offset);
}

int after(enum core core, const struct instruction *before, const struct instruction *i) {
    if (core == CORTEX_M0) return 0;
    /* IT is folded into a 16-bit instruction before it. */
    if (i->kind == IT) return before->size == 2 ? -1 : 0;
    int cycles = 0;
    /* Loads and stores in a row share their address phases, unless one needs what the other loads. */
    bool follows_load = before->kind == LOAD && !before->writes_back && !before->branches;
    bool pipelined = i->kind == LOAD || (i->kind == STORE && i->register_offset);
    if (follows_load && pipelined && !(before->result & i->address)) cycles -= 1;
    /* An address that was computed just before comes a cycle late. */
    if ((before->kind == DATA || before->kind == MULTIPLY) && (before->result & i->address)) cycles += 1;
    if (before->kind == FP_ARITHMETIC && (before->fp_result & i->fp_operands)) cycles += 1;
    return cycles;
}

int jump(enum core core, const struct instruction *i) {
    if (core == CORTEX_M0) return i->target_from_memory || i->size == 4 ? 3 : 2;
    return REFILL;
}
