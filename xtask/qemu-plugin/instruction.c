/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Decodes Thumb instructions as far as timing goes.
 */
#include "instruction.h"

#define BIT(n) (1u << (n))

enum { SP = 13, LR = 14, PC = 15 };

/* Cycles of a division of numbers as they usually are: 2 to 12 are possible. */
enum { USUAL_DIVISION = 7, FP_DIVISION = 14 };

static void branch(struct instruction *i) {
    i->kind = BRANCH;
    i->branches = true;
}

static void load_or_store(struct instruction *i, bool load, int target, uint32_t address) {
    i->kind = load ? LOAD : STORE;
    i->cycles = load ? 2 : 1;
    i->address = address;
    if (load) i->result |= BIT(target);
}

static void multiple(struct instruction *i, bool load, uint32_t list, int base) {
    i->kind = MULTIPLE;
    i->cycles = 1 + __builtin_popcount(list);
    i->address = BIT(base);
    if (load) i->result |= list & ~BIT(PC);
    if (load && (list & BIT(PC))) i->branches = i->target_from_memory = true;
}

/* Data processing in registers, high registers, BX and BLX, loads of literals. */
static void narrow_group_4(uint16_t op, struct instruction *i) {
    int low = op & 7, operation = op >> 6 & 15;
    if (op >> 10 == 0x10) {
        bool compares = operation == 8 || operation == 10 || operation == 11;
        if (!compares) i->result = BIT(low);
        if (operation == 13) i->kind = MULTIPLY;
    } else if (op >> 10 == 0x11) {
        int to = (op >> 4 & 8) | low, from = op >> 3 & 15;
        bool jumps = op >> 8 == 0x47, compares = op >> 8 == 0x45, to_itself = op >> 8 == 0x46 && to == from;
        if (jumps) branch(i);
        else if (!compares && !to_itself) {
            i->result = BIT(to);
            if (to == PC) branch(i);
        }
    } else {
        load_or_store(i, true, op >> 8 & 7, 0);
    }
}

/* CBZ, changes of SP, extensions, PUSH and POP, IT, hints. */
static void narrow_group_11(uint16_t op, struct instruction *i) {
    if ((op & 0xf500) == 0xb100) branch(i);
    else if ((op & 0xff00) == 0xb000) i->result = BIT(SP);
    else if ((op & 0xff00) == 0xb200 || (op & 0xff00) == 0xba00) i->result = BIT(op & 7);
    else if ((op & 0xfe00) == 0xb400) multiple(i, false, (op & 0xff) | (op & 0x100 ? BIT(LR) : 0), SP);
    else if ((op & 0xfe00) == 0xbc00) multiple(i, true, (op & 0xff) | (op & 0x100 ? BIT(PC) : 0), SP);
    else if ((op & 0xff00) == 0xbf00) i->kind = (op & 15) ? IT : OTHER;
    else i->kind = OTHER;
}

static void narrow(uint16_t op, struct instruction *i) {
    int low = op & 7, middle = op >> 3 & 7, high = op >> 6 & 7, top = op >> 8 & 7;
    bool load = op >> 11 & 1;
    switch (op >> 12) {
    case 0: case 1:
        i->result = BIT(low);
        break;
    case 2:
        if (op >> 11 == 4) i->result = BIT(top); /* MOV; the other is CMP. */
        break;
    case 3: case 10:
        i->result = BIT(top);
        break;
    case 4:
        narrow_group_4(op, i);
        break;
    case 5:
        load_or_store(i, (op >> 9 & 7) >= 3, low, BIT(middle) | BIT(high));
        i->register_offset = true;
        break;
    case 6: case 7: case 8:
        load_or_store(i, load, low, BIT(middle));
        break;
    case 9:
        load_or_store(i, load, top, BIT(SP));
        break;
    case 11:
        narrow_group_11(op, i);
        break;
    case 12:
        multiple(i, load, op & 0xff, top);
        break;
    case 13:
        if ((op >> 8 & 15) >= 14) i->kind = OTHER; /* SVC, UDF */
        else branch(i);
        break;
    default:
        branch(i);
    }
}

/* The single-precision registers of a field of four bits and its extra bit. */
static uint32_t fp_registers(bool is_double, int field, int extra) {
    return is_double ? 3u << ((extra << 4 | field) * 2 & 31) : BIT(field << 1 | extra);
}

static void fp_memory(uint16_t a, uint16_t b, bool is_double, uint32_t d, uint32_t m, struct instruction *i) {
    bool load = a & 0x10;
    if ((a & 0xffe0) == 0xec40) { /* VMOV of two registers */
        i->cycles = 2;
        if (load) {
            i->fp_operands = m;
            i->result = BIT(b >> 12) | BIT(a & 15);
        } else {
            i->fp_result = m;
        }
        return;
    }
    bool single = (a & 0x120) == 0x100;
    int words = single ? (is_double ? 2 : 1) : (b & 0xff);
    i->address = (a & 15) == PC ? 0 : BIT(a & 15);
    i->cycles = 1 + words;
    if (load) i->fp_result = d;
    else i->fp_operands = d;
}

static void fp_arithmetic(uint16_t a, uint16_t b, uint32_t d, uint32_t n, uint32_t m, struct instruction *i) {
    i->kind = FP_ARITHMETIC;
    i->fp_result = d;
    i->fp_operands = n | m;
    int extension = a & 15;
    switch (a >> 4 & 11) {
    case 0: case 1: case 9: case 10: /* VMLA and its like: the addend is wanted late. */
        i->cycles = 3;
        break;
    case 8:
        i->cycles = FP_DIVISION;
        break;
    case 11:
        i->fp_operands = m;
        if (!(b & 0x40)) { /* VMOV of a constant */
            i->fp_operands = 0;
            i->kind = FP_OTHER;
        } else if (extension == 1 && (b & 0xc0) == 0xc0) { /* VSQRT */
            i->cycles = FP_DIVISION;
        } else if (extension == 4 || extension == 5) { /* VCMP */
            i->fp_operands = d | m;
            i->fp_result = 0;
        } else if (extension == 0) { /* VMOV, VABS */
            i->kind = FP_OTHER;
        }
        break;
    default:
        break;
    }
}

static void floating_point(uint16_t a, uint16_t b, struct instruction *i) {
    bool is_double = (b >> 8 & 15) == 11;
    uint32_t d = fp_registers(is_double, b >> 12, a >> 6 & 1);
    uint32_t n = fp_registers(is_double, a & 15, b >> 7 & 1);
    uint32_t m = fp_registers(is_double, b & 15, b >> 5 & 1);
    i->kind = FP_OTHER;
    if ((a & 0xfe00) == 0xec00) fp_memory(a, b, is_double, d, m, i);
    else if ((a & 0xff00) == 0xee00 && !(b & 0x10)) fp_arithmetic(a, b, d, n, m, i);
    else if ((a & 0xff00) == 0xfe00) { /* VSEL, VMAXNM, VRINT */
        i->kind = FP_ARITHMETIC;
        i->fp_result = d;
        i->fp_operands = n | m;
    } else if (b & 0x10) { /* between core and floating-point registers */
        if (!(a & 0x10)) i->fp_result = n;
        else {
            i->fp_operands = n;
            if (b >> 12 != PC) i->result = BIT(b >> 12);
        }
    }
}

/* Several registers, pairs, exclusive ones, tables of branches, data processing with a shift. */
static void wide_group_1(uint16_t a, uint16_t b, struct instruction *i) {
    bool load = a & 0x10;
    int base = a & 15, target = b >> 12, second = b >> 8 & 15, kind = a >> 4 & 0x64;
    if (kind == 0) {
        multiple(i, load, b, base);
    } else if (kind != 4) {
        if (second != PC) i->result = BIT(second);
    } else if ((a & 0xfff0) == 0xe8d0 && (b & 0xffe0) == 0xf000) { /* TBB, TBH */
        branch(i);
        i->target_from_memory = true;
        i->cycles = 3;
    } else if (a == 0xe97f) { /* SG */
        i->kind = OTHER;
    } else if ((a & 0xff60) == 0xe840 && (!(a & 0x80) || (b & 0xf0) != 0)) { /* LDREX, STREX, LDA, STL */
        load_or_store(i, load, target, BIT(base));
        i->cycles = 2;
        if (!load) i->result = BIT(second);
    } else { /* LDRD, STRD */
        i->kind = MULTIPLE;
        i->cycles = 3;
        i->address = BIT(base);
        if (load) i->result = BIT(target) | BIT(second);
    }
}

/* Data processing with a constant, branches, special registers. */
static void wide_group_2(uint16_t a, uint16_t b, struct instruction *i) {
    int target = b >> 8 & 15;
    if (!(b & 0x8000)) {
        if (target != PC) i->result = BIT(target);
        return;
    }
    bool conditional_or_system = (b & 0x5000) == 0;
    if (!conditional_or_system || (a >> 6 & 15) < 14) {
        branch(i);
        return;
    }
    bool reads = (a & 0xffe0) == 0xf3e0, writes = (a & 0xffe0) == 0xf380;
    i->kind = OTHER;
    i->system = true;
    if (reads || writes) i->cycles = 2;
    if (reads) i->result = BIT(target);
    if (a == 0xf3bf && (b & 0xf0) == 0x60) i->cycles = 3; /* ISB refills the pipeline. */
}

static void wide_memory(uint16_t a, uint16_t b, struct instruction *i) {
    bool load = a & 0x10, constant = a & 0x80;
    int base = a & 15, target = b >> 12, bytes = 1 << (a >> 5 & 3);
    if (load && target == PC && bytes != 4) { /* PLD, PLI */
        i->kind = OTHER;
        return;
    }
    uint32_t address = base == PC ? 0 : BIT(base);
    bool in_register = !constant && base != PC && (b & 0xfc0) == 0;
    if (in_register) address |= BIT(b & 15);
    load_or_store(i, load, target, address);
    i->register_offset = in_register;
    i->writes_back = !constant && base != PC && (b & 0x800) && (b & 0x100);
    if (i->writes_back) i->result |= BIT(base);
    if (load && target == PC) i->branches = i->target_from_memory = true;
}

/* Loads and stores, data processing in registers, multiplications. */
static void wide_group_3(uint16_t a, uint16_t b, struct instruction *i) {
    int group = a >> 4 & 0x7f, addend = b >> 12, target = b >> 8 & 15;
    if ((group & 0x71) == 0 || (group & 0x61) == 1) {
        wide_memory(a, b, i);
    } else if ((group & 0x70) == 0x20) {
        i->result = BIT(target);
    } else if ((group & 0x78) == 0x30) {
        i->kind = MULTIPLY;
        i->product = addend == PC ? SINGLE : WITH_ADDEND;
        i->result = BIT(target);
    } else if ((group & 0x78) == 0x38) {
        int operation = a >> 4 & 7;
        i->result = BIT(target);
        if ((operation == 1 || operation == 3) && (b & 0xf0) == 0xf0) {
            i->kind = DIVIDE;
            i->cycles = USUAL_DIVISION;
        } else {
            i->kind = MULTIPLY;
            i->product = operation >= 4 ? LONG_WITH_ADDEND : LONG;
            i->result |= BIT(b >> 12);
        }
    }
}

static void wide(uint16_t a, uint16_t b, struct instruction *i) {
    int group = a >> 11 & 3, coprocessor = b >> 8 & 15;
    if (group != 2 && (a >> 4 & 0x40)) {
        if (coprocessor >= 8 && coprocessor <= 11) floating_point(a, b, i);
        else i->kind = OTHER;
    } else if (group == 1) wide_group_1(a, b, i);
    else if (group == 2) wide_group_2(a, b, i);
    else wide_group_3(a, b, i);
}

struct instruction decode(uint16_t first, uint16_t second) {
    struct instruction i = { .kind = DATA, .size = is_wide(first) ? 4 : 2, .cycles = 1 };
    if (is_wide(first)) wide(first, second, &i);
    else narrow(first, &i);
    return i;
}
