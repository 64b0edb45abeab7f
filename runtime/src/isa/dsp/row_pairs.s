// 3x3 depthwise convolution on row pairs (see packing/row_pairs.rs) for Armv7E-M and Armv8-M with the DSP extension.
//
//     for each pair of output rows (stride 1) or output row (stride 2):
//         for each pair of output columns:
//             sums = twice the bias
//             for each input column q under the two windows:
//                 A = word of the upper row pair, B = word of the lower one, at column q
//                 for each of the two output columns whose window covers q, at kernel column t:
//                     upper sum += A . (w0[t], w1[t]) + low(B) x w2[t]
//                     lower sum += high(A) x w0[t] + B . (w1[t], w2[t])              (stride 1)
//             requantize, store
//
// Six weight words stay in r2 to r7 for the whole plane. What is not in registers is in s0 to s7, or, without FPU, in the
// frame. The words of four channels interleave in a plane: columns are 16 bytes apart.

.syntax unified
.thumb

.equ DW_BIAS, 0
.equ DW_MANTISSA, 4
.equ DW_SHIFT, 8
.equ DW_ZERO_POINT, 12
.equ DW_OUTPUT, 16          // the next output
.equ DW_COLUMN, 20          // bytes from an output column to the next
.equ DW_ROW, 24             // bytes from the upper output row to the lower one
.equ DW_END, 28             // end of the full column pairs in the upper row of words
.equ DW_NEXT, 32            // bytes from there to the next row of words
.equ DW_ROWS, 36            // rows or pairs of rows left
.equ DW_ADVANCE, 40         // bytes from the end of an output row to the next one
.equ DW_ODD, 44             // not 0: a single column is left at the end of a row
.equ DW_PITCH, 48           // bytes from a row of words to the next
.equ DW_FRAME, 52

// Register s<slot / 4> or the frame.
.macro dw_get register, slot, s
.if FPU
    vmov    \register, \s
.else
    ldr     \register, [sp, #\slot]
.endif
.endm

.macro dw_put register, slot, s
.if FPU
    vmov    \s, \register
.else
    str     \register, [sp, #\slot]
.endif
.endm

// Twice the sum, requantized; mantissa in r12, right shift in r12, zero point in lr at the respective moment.
.macro dw_round sum, relu
.if !\relu
    add     \sum, \sum, \sum, asr #31
.endif
    asrs    \sum, \sum, r12
    adc     \sum, \sum, lr
    ssat    \sum, #8, \sum
.endm

// Column q of the input under windows that begin at column 0 (sums u0, l0) and \stride (sums u1, l1).
.macro dw_tap upper, lower, a, b, stride
    smlad   \upper, r12, \a, \upper
.if \stride == 1
    smlatb  \lower, r12, \a, \lower
.endif
    smlabt  \upper, lr, \b, \upper
.if \stride == 1
    smlad   \lower, lr, \b, \lower
.endif
.endm

.macro dw_load q
    ldr     r12, [r0, #(16 * \q)]
    ldr     lr, [r1, #(16 * \q)]
.endm

// Two output columns, stride 1: sums r8 (upper) and r9 (lower) of the first, r10 and r11 of the second.
.macro dw_pair_1
    dw_get  r8, DW_BIAS, s0
    mov     r9, r8
    mov     r10, r8
    mov     r11, r8
    dw_load 0
    dw_tap  r8, r9, r2, r3, 1
    dw_load 1
    dw_tap  r8, r9, r4, r5, 1
    dw_tap  r10, r11, r2, r3, 1
    dw_load 2
    dw_tap  r8, r9, r6, r7, 1
    dw_tap  r10, r11, r4, r5, 1
    dw_load 3
    dw_tap  r10, r11, r6, r7, 1
.endm

// Two output columns, stride 2: sums r8 and r10.
.macro dw_pair_2
    dw_get  r8, DW_BIAS, s0
    mov     r10, r8
    dw_load 0
    dw_tap  r8, r9, r2, r3, 2
    dw_load 1
    dw_tap  r8, r9, r4, r5, 2
    dw_load 2
    dw_tap  r8, r9, r6, r7, 2
    dw_tap  r10, r11, r2, r3, 2
    dw_load 3
    dw_tap  r10, r11, r4, r5, 2
    dw_load 4
    dw_tap  r10, r11, r6, r7, 2
.endm

.macro dw_single stride
    dw_get  r8, DW_BIAS, s0
.if \stride == 1
    mov     r9, r8
.endif
    dw_load 0
    dw_tap  r8, r9, r2, r3, \stride
    dw_load 1
    dw_tap  r8, r9, r4, r5, \stride
    dw_load 2
    dw_tap  r8, r9, r6, r7, \stride
.endm

.macro dw_kernel name, stride, relu
    .section .text.\name, "ax", %progbits
    .global \name
    .type \name, %function
    .thumb_func
    .p2align 2
\name:
    push    {r4-r11, lr}
    sub     sp, sp, #DW_FRAME
    // Weights, upper row of words, lower row, then the frame's content.
    ldm     r0!, {r1, r2, r3}
    ldm     r0!, {r4-r11}
.if FPU
    vmov    s0, r4
    vmov    s1, r5
    vmov    s2, r6
    vmov    s3, r7
    vmov    s4, r8
    vmov    s5, r9
    vmov    s6, r10
    vmov    s7, r11
.else
    stm     sp, {r4-r11}
.endif
    ldm     r0, {r4-r8}
    strd    r4, r5, [sp, #DW_NEXT]
    strd    r6, r7, [sp, #DW_ADVANCE]
    str     r8, [sp, #DW_PITCH]
    mov     r12, r1
    mov     r0, r2
    mov     r1, r3
    ldm     r12, {r2-r7}
.Lrow_\name:
    dw_get  r12, DW_END, s7
    cmp     r0, r12
    beq     .Lodd_\name
    .p2align 2
.Lpair_\name:
.if \stride == 1
    dw_pair_1
.else
    dw_pair_2
.endif
    dw_get  r12, DW_MANTISSA, s1
    smmulr  r8, r8, r12
    smmulr  r10, r10, r12
.if \stride == 1
    smmulr  r9, r9, r12
    smmulr  r11, r11, r12
.endif
    dw_get  r12, DW_SHIFT, s2
    dw_get  lr, DW_ZERO_POINT, s3
    dw_round r8, \relu
    dw_round r10, \relu
.if \stride == 1
    dw_round r9, \relu
    dw_round r11, \relu
.endif
    dw_get  r12, DW_OUTPUT, s4
.if \stride == 1
    // The lower row first: where there is none, its distance is 0 and the upper row overwrites it.
    dw_get  lr, DW_ROW, s6
    strb    r9, [r12, lr]
    strb    r8, [r12]
    dw_get  r8, DW_COLUMN, s5
    add     r12, r12, r8
    strb    r11, [r12, lr]
    strb    r10, [r12]
.else
    strb    r8, [r12]
    dw_get  r8, DW_COLUMN, s5
    add     r12, r12, r8
    strb    r10, [r12]
.endif
    add     r12, r12, r8
    dw_put  r12, DW_OUTPUT, s4
    add     r0, r0, #(32 * \stride)
    add     r1, r1, #(32 * \stride)
    dw_get  r12, DW_END, s7
    cmp     r0, r12
    bne     .Lpair_\name
.Lodd_\name:
    ldr     r12, [sp, #DW_ODD]
    cmp     r12, #0
    beq     .Lnext_\name
    dw_single \stride
    dw_get  r12, DW_MANTISSA, s1
    smmulr  r8, r8, r12
.if \stride == 1
    smmulr  r9, r9, r12
.endif
    dw_get  r12, DW_SHIFT, s2
    dw_get  lr, DW_ZERO_POINT, s3
    dw_round r8, \relu
.if \stride == 1
    dw_round r9, \relu
.endif
    dw_get  r12, DW_OUTPUT, s4
.if \stride == 1
    dw_get  lr, DW_ROW, s6
    strb    r9, [r12, lr]
.endif
    strb    r8, [r12]
    dw_get  r8, DW_COLUMN, s5
    add     r12, r12, r8
    dw_put  r12, DW_OUTPUT, s4
.Lnext_\name:
    ldrd    r8, r9, [sp, #DW_NEXT]
    subs    r9, r9, #1
    beq     .Ldone_\name
    str     r9, [sp, #DW_ROWS]
    add     r0, r0, r8
    add     r1, r1, r8
    ldr     r8, [sp, #DW_PITCH]
    dw_get  r12, DW_END, s7
    add     r12, r12, r8
    dw_put  r12, DW_END, s7
    ldr     r8, [sp, #DW_ADVANCE]
    dw_get  r12, DW_OUTPUT, s4
    add     r12, r12, r8
    dw_put  r12, DW_OUTPUT, s4
    b       .Lrow_\name
.Ldone_\name:
    add     sp, sp, #DW_FRAME
    pop     {r4-r11, pc}
    .size \name, . - \name
.endm

dw_kernel secateur_row_pairs_1, 1, 0
dw_kernel secateur_row_pairs_1_relu, 1, 1
dw_kernel secateur_row_pairs_2, 2, 0
dw_kernel secateur_row_pairs_2_relu, 2, 1

// Two rows of pixels to words: r0, r1: four channels of the first pixel of either row (any alignment), r2: target, r3:
// columns (at least 1), [sp], [sp, #4]: bytes from a pixel to the next in either row. Writes four words per column.
    .section .text.secateur_pair_rows, "ax", %progbits
    .global secateur_pair_rows
    .type secateur_pair_rows, %function
    .thumb_func
    .p2align 2
secateur_pair_rows:
    push    {r4-r11, lr}
    ldrd    r4, r5, [sp, #36]
.Lpair_rows:
    ldr     r6, [r0]
    ldr     r7, [r1]
    add     r0, r0, r4
    add     r1, r1, r5
    sxtb16  r8, r6
    sxtb16  r9, r7
    sxtb16  r6, r6, ror #8
    sxtb16  r7, r7, ror #8
    pkhbt   r10, r8, r9, lsl #16
    pkhbt   r11, r6, r7, lsl #16
    pkhtb   r12, r9, r8, asr #16
    pkhtb   lr, r7, r6, asr #16
    subs    r3, r3, #1
    stm     r2!, {r10, r11, r12, lr}
    bne     .Lpair_rows
    pop     {r4-r11, pc}
    .size secateur_pair_rows, . - secateur_pair_rows
