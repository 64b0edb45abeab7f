/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the timing of an instruction depends on.
 */
#ifndef INSTRUCTION_H
#define INSTRUCTION_H

#include <stdbool.h>
#include <stdint.h>

enum kind { DATA, LOAD, STORE, MULTIPLE, BRANCH, MULTIPLY, DIVIDE, FP_ARITHMETIC, FP_OTHER, IT, OTHER };

/* Multiplications whose cost differs between cores. */
enum product { SINGLE, WITH_ADDEND, LONG, LONG_WITH_ADDEND };

/* Registers are sets of bits: bit n is rn, or sn for floating point. */
struct instruction {
    enum kind kind;
    enum product product;
    uint8_t size;           /* 2 or 4 bytes */
    uint8_t cycles;         /* on a Cortex-M4, by itself and without a jump */
    bool branches;          /* it may jump */
    bool target_from_memory;/* and loads where to */
    bool writes_back;       /* the base register, too */
    bool register_offset;   /* address = register + register */
    bool system;            /* reads or writes special registers, or is a barrier */
    uint32_t result;        /* core registers that it writes */
    uint32_t address;       /* core registers that its address is made of */
    uint32_t fp_result;
    uint32_t fp_operands;
};

/* Decodes a 16-bit instruction, or a 32-bit one whose first half has bits 15..11 above 0x1c. */
struct instruction decode(uint16_t first, uint16_t second);

/* Whether `first` begins a 32-bit instruction. */
static inline bool is_wide(uint16_t first) {
    return first >> 11 >= 0x1d;
}

#endif
