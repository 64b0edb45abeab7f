// Sums, maxima and products of rows of bytes, for Armv7E-M and Armv8-M with the DSP extension.

.syntax unified
.thumb

// Four channels of all rows at a time, in 16-bit lanes: at most 255 rows. r0: first row, r1: bytes from a row to the next,
// r2: rows (1 to 255), r3: 32-bit sums, [sp]: fours of channels (at least 1).
function secateur_add_rows
    push    {r4-r11, lr}
    ldr     r4, [sp, #36]
.Ladd_four:
    mov     r5, r0
    mov     r7, #0
    mov     r8, #0
    lsrs    r6, r2, #1
    bcc     .Ladd_even
    ldr.w   r9, [r5]
    add     r5, r5, r1
    sxtab16 r7, r7, r9
    sxtab16 r8, r8, r9, ror #8
    cbz     r6, .Ladd_last
.Ladd_even:
    ldr.w   r9, [r5]
    ldr.w   r10, [r5, r1]
    add     r5, r5, r1, lsl #1
    sxtab16 r7, r7, r9
    sxtab16 r8, r8, r9, ror #8
    sxtab16 r7, r7, r10
    sxtab16 r8, r8, r10, ror #8
    subs    r6, r6, #1
    bne     .Ladd_even
.Ladd_last:
    ldm.w   r3, {r9-r12}
    adds    r0, r0, #4
    sxtah   r9, r9, r7
    sxtah   r10, r10, r8
    add     r11, r11, r7, asr #16
    add     r12, r12, r8, asr #16
    stm     r3!, {r9-r12}
    subs    r4, r4, #1
    bne     .Ladd_four
    pop     {r4-r11, pc}
    .size secateur_add_rows, . - secateur_add_rows

// r0: first row, r1: bytes from a row to the next, r2: rows (at least 1), r3: largest values, [sp]: fours of channels (at
// least 1).
function secateur_max_rows
    push    {r4-r8, lr}
    ldr     r4, [sp, #24]
.Lmax_four:
    mov     r5, r0
    mov     r6, r2
    ldr     r7, [r3]
.Lmax_row:
    ldr.w   r8, [r5]
    add     r5, r5, r1
    ssub8   r12, r7, r8
    sel     r7, r7, r8
    subs    r6, r6, #1
    bne     .Lmax_row
    adds    r0, r0, #4
    str     r7, [r3], #4
    subs    r4, r4, #1
    bne     .Lmax_four
    pop     {r4-r8, pc}
    .size secateur_max_rows, . - secateur_max_rows

// Four rows of weights times one input. r0: weights, r1: input, r2: bytes from a row to the next, r3: fours of inputs (at
// least 1), [sp]: four sums to write.
.macro dot_row sum, weights
    sxtb16  r12, \weights
    smlad   \sum, r12, r8, \sum
    sxtb16  \weights, \weights, ror #8
    smlad   \sum, \weights, r9, \sum
.endm

function secateur_dot4
    push    {r4-r11, lr}
    add     lr, r1, r3, lsl #2
    add     r3, r0, r2, lsl #1
    movs    r4, #0
    movs    r5, #0
    movs    r6, #0
    movs    r7, #0
.Ldot4:
    ldr.w   r10, [r0, r2]
    ldr     r11, [r0], #4
    ldr     r9, [r1], #4
    sxtb16  r8, r9
    sxtb16  r9, r9, ror #8
    dot_row r4, r11
    dot_row r5, r10
    ldr.w   r10, [r3, r2]
    ldr     r11, [r3], #4
    dot_row r6, r11
    dot_row r7, r10
    cmp     r1, lr
    bne     .Ldot4
    ldr     r0, [sp, #36]
    stm     r0!, {r4-r7}
    pop     {r4-r11, pc}
    .size secateur_dot4, . - secateur_dot4
