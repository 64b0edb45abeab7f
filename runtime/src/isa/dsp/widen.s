// Inputs of bytes to pairs of halfwords, for Armv7E-M and Armv8-M with the DSP extension.
//
// r0: source (any alignment), r1: target (4-aligned), r2: bytes per row (at least 1), r3: rows (at least 1),
// [sp]: bytes from the start of a source row to the start of the next, [sp, #4]: bytes from the end of a row's pairs to the
// next row's, [sp, #8]: not 0 if a row's first value is the second one of its first pair. Pairs lie \pitch bytes apart.
// Halves of pairs that have no value stay as they are.

.syntax unified
.thumb

.macro widen_word source, pitch
    sxtb16  r12, \source
    sxtb16  lr, \source, ror #8
    pkhbt   \source, r12, lr, lsl #16
    pkhtb   r12, lr, r12, asr #16
    str     \source, [r1], #\pitch
    str     r12, [r1], #\pitch
.endm

.macro widen name, pitch
function \name
    push    {r4-r10, lr}
    ldrd    r4, r8, [sp, #32]
    ldr     r9, [sp, #40]
    sub     r4, r4, r2                  // from a row's end to the next row
    cmp     r9, #0
    it      ne
    subne   r2, r2, #1
.Lrow_\pitch:
    cmp     r9, #0
    beq     .Leven_\pitch
    ldrsb   r6, [r0], #1
    strh    r6, [r1, #2]
    add     r1, r1, #\pitch
.Leven_\pitch:
    subs    r5, r2, #8
    blt     .Lfour_\pitch
.Leight_\pitch:
    ldr     r6, [r0], #4
    ldr     r7, [r0], #4
    widen_word r6, \pitch
    widen_word r7, \pitch
    subs    r5, r5, #8
    bge     .Leight_\pitch
.Lfour_\pitch:
    adds    r5, r5, #4
    blt     .Ltail_\pitch
    ldr     r6, [r0], #4
    widen_word r6, \pitch
    subs    r5, r5, #4
.Ltail_\pitch:
    adds    r5, r5, #4                  // 0 to 3 bytes are left
    beq     .Lnext_\pitch
    ldrsb   r6, [r0], #1
    subs    r5, r5, #1
    beq     .Lhalf_\pitch
    ldrsb   r7, [r0], #1
    pkhbt   r6, r6, r7, lsl #16
    str     r6, [r1], #\pitch
    subs    r5, r5, #1
    beq     .Lnext_\pitch
    ldrsb   r6, [r0], #1
.Lhalf_\pitch:
    strh    r6, [r1], #\pitch
.Lnext_\pitch:
    add     r0, r0, r4
    add     r1, r1, r8
    subs    r3, r3, #1
    bne     .Lrow_\pitch
    pop     {r4-r10, pc}
    .size \name, . - \name
.endm

widen secateur_widen_1, 4
widen secateur_widen_2, 8

// Rows of one value: r0: source, r1: target, r2: rows (at least 1), r3: bytes from a row to the next, [sp]: the same in the
// target.
function secateur_spread
    push    {r4, r5, r6, lr}
    ldr     r6, [sp, #16]
    subs    r2, r2, #2
    blt     .Lspread_last
.Lspread:
    ldrsb   r4, [r0]
    ldrsb   r5, [r0, r3]
    add     r0, r0, r3, lsl #1
    strh    r4, [r1]
    strh    r5, [r1, r6]
    add     r1, r1, r6, lsl #1
    subs    r2, r2, #2
    bge     .Lspread
.Lspread_last:
    adds    r2, r2, #1
    bne     .Lspread_done
    ldrsb   r4, [r0]
    strh    r4, [r1]
.Lspread_done:
    pop     {r4, r5, r6, pc}
    .size secateur_spread, . - secateur_spread

// Rows of three values, pairs 8 bytes apart: arguments as above; `_odd` if a row's first value is the second one of its
// first pair.
.macro widen_three name, odd
function \name
    push    {r4, r5, r6, r7, lr}
    ldr     r7, [sp, #20]
1:
    ldrsb   r4, [r0]
    ldrsb   r5, [r0, #1]
    ldrsb   r6, [r0, #2]
    add     r0, r0, r3
.if \odd
    pkhbt   r5, r5, r6, lsl #16
    strh    r4, [r1, #2]
    str     r5, [r1, #8]
.else
    pkhbt   r4, r4, r5, lsl #16
    strh    r6, [r1, #8]
    str     r4, [r1]
.endif
    add     r1, r1, r7
    subs    r2, r2, #1
    bne     1b
    pop     {r4, r5, r6, r7, pc}
    .size \name, . - \name
.endm

widen_three secateur_widen_three, 0
widen_three secateur_widen_three_odd, 1
