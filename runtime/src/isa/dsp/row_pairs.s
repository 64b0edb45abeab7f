// 3x3 depthwise convolution on row pairs (see packing/row_pairs.rs) for Armv7E-M and Armv8-M with the DSP extension.
//
//     for each channel:
//         for each pair of output rows (stride 1) or output row (stride 2):
//             for each pair of output columns:
//                 sums = the bias
//                 for each input column q under the two windows:
//                     A = word of the upper row pair, B = word of the lower one, at column q
//                     for each of the two output columns whose window covers q, at kernel column t:
//                         upper sum += A . (w0[t], w1[t]) + low(B) x w2[t]
//                         lower sum += high(A) x w0[t] + B . (w1[t], w2[t])              (stride 1)
//                 requantize, store
//
// Six weight words stay in r2 to r7 for a whole plane. The words of four channels interleave: columns are 16 bytes apart.
// Levelled channels, whose records end with an addend below zero, have it for rounding and zero point and shift by 16.

.syntax unified
.thumb

    slot    DW_ARGUMENTS, 0
    slot    DW_WEIGHTS, 1       // next channel's
    slot    DW_RECORD, 2        // next channel's
    slot    DW_WORDS, 3         // next channel's first word
    slot    DW_OUTPUTS, 4       // next channel's first output
    slot    DW_CHANNELS, 5      // channels left
    slot    DW_ROWS, 6          // rows, or pairs of rows, left
    slot    DW_BIAS, 7
    slot    DW_MANTISSA, 8
    slot    DW_SHIFT, 9         // below 0 for a levelled channel
    slot    DW_CONSTANT, 10     // zero point, or the addend of a levelled channel
    slot    DW_OUTPUT, 11       // the next output
    slot    DW_COLUMN, 12       // bytes from an output column to the next
    slot    DW_ROW, 13          // bytes from the upper output row to the lower one
    slot    DW_END, 14          // end of the full column pairs in the upper row of words
    slot    DW_LANE, 15         // channels left of those whose words interleave

// Arguments after those that go into slots at the start.
.equ DW_ROW_COUNT, 24       // rows or pairs of rows
.equ DW_ZERO_POINT, 28
.equ DW_ROW_PITCH, 32       // bytes from an output row to the next
.equ DW_PITCH, 36           // bytes from a row of words to the next
.equ DW_PAIRS, 40           // bytes of the full column pairs in a row of words
.equ DW_ADVANCE, 44         // bytes from the end of a row of outputs to the next
.equ DW_ODD, 48             // not 0: a single column is left at the end of a row
.equ DW_SINGLE, 52          // not 0: the last pair of output rows has one row only
.equ DW_GROUP, 56           // bytes from the words of the last of four channels to those of the next

// The sum, requantized: mantissa or, later, right shift in r12, constant in lr. 512 times the sum becomes twice the sum first,
// where channels are not levelled.
.macro dw_multiply sum, levelled
.if \levelled
    smmla   \sum, \sum, r12, lr
.else
    asr     \sum, \sum, #8
    smmulr  \sum, \sum, r12
.endif
.endm

.macro dw_round sum, levelled
.if \levelled
    ssat    \sum, #8, \sum, asr #16
.else
    add     \sum, \sum, \sum, asr #31
    asrs    \sum, \sum, r12
    adc     \sum, \sum, lr
    ssat    \sum, #8, \sum
.endif
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
.macro dw_sums_1
    fetch   r8, DW_BIAS
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
.macro dw_sums_2
    fetch   r8, DW_BIAS
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

// Two output columns, or four outputs; then the next ones' inputs. Leaves the comparison of where they stand with the end.
.macro dw_pair stride, levelled
    dw_sums_\stride
    fetch   r12, DW_MANTISSA
    fetch   lr, DW_CONSTANT
    dw_multiply r8, \levelled
    dw_multiply r10, \levelled
.if \stride == 1
    dw_multiply r9, \levelled
    dw_multiply r11, \levelled
.endif
.if !\levelled
    fetch   r12, DW_SHIFT
.endif
    dw_round r8, \levelled
    dw_round r10, \levelled
.if \stride == 1
    dw_round r9, \levelled
    dw_round r11, \levelled
    fetch   r12, DW_OUTPUT
    fetch   lr, DW_ROW
    add     lr, lr, r12
    add     r0, r0, #32
    add     r1, r1, #32
    strb    r9, [lr]
    strb    r8, [r12]
    fetch   r9, DW_COLUMN
    strb    r11, [lr, r9]
    strb    r10, [r12, r9]
.else
    fetch   r12, DW_OUTPUT
    fetch   r9, DW_COLUMN
    add     r0, r0, #64
    add     r1, r1, #64
    strb    r8, [r12]
    strb    r10, [r12, r9]
.endif
    add     r12, r12, r9, lsl #1
    keep    DW_OUTPUT, r12
    fetch   r12, DW_END
    cmp     r0, r12
.endm

// The outputs of a single column.
.macro dw_finish_single stride, levelled
    fetch   r12, DW_MANTISSA
    fetch   lr, DW_CONSTANT
    dw_multiply r8, \levelled
.if \stride == 1
    dw_multiply r9, \levelled
.endif
.if !\levelled
    fetch   r12, DW_SHIFT
.endif
    dw_round r8, \levelled
.if \stride == 1
    dw_round r9, \levelled
.endif
    fetch   r12, DW_OUTPUT
.if \stride == 1
    fetch   lr, DW_ROW
    strb    r9, [r12, lr]
.endif
    strb    r8, [r12]
    fetch   r8, DW_COLUMN
    add     r12, r12, r8
    keep    DW_OUTPUT, r12
.endm

.macro dw_single stride
    fetch   r8, DW_BIAS
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

.macro dw_kernel name, stride
function \name
    push    {r4-r11, lr}
    reserve_slots 16
    keep    DW_ARGUMENTS, r0
    ldm     r0, {r2-r7}             // weights, records, words, outputs, channels, column
    keep    DW_WEIGHTS, r2
    keep    DW_RECORD, r3
    keep    DW_WORDS, r4
    keep    DW_OUTPUTS, r5
    keep    DW_CHANNELS, r6
    keep    DW_COLUMN, r7
    mov     r8, #4
    keep    DW_LANE, r8
.Lchannel_\name:
    fetch   r12, DW_RECORD
    ldm     r12!, {r8, r9, r10}
    keep    DW_RECORD, r12
    keep    DW_BIAS, r8
    keep    DW_MANTISSA, r9
    keep    DW_SHIFT, r10
    keep    DW_CONSTANT, r10
    fetch   r12, DW_WEIGHTS
    ldm     r12!, {r2-r7}
    keep    DW_WEIGHTS, r12
    fetch   r12, DW_ARGUMENTS
    ldr     r8, [r12, #DW_ZERO_POINT]
    cmp     r10, #0
    blt     .Lconstant_\name
    keep    DW_CONSTANT, r8
.Lconstant_\name:
    ldr     r8, [r12, #DW_ROW_COUNT]
    ldr     r9, [r12, #DW_ROW_PITCH]
    ldr     r10, [r12, #DW_PITCH]
    ldr     r11, [r12, #DW_PAIRS]
    keep    DW_ROWS, r8
    keep    DW_ROW, r9
    fetch   r0, DW_WORDS
    add     r1, r0, r10
    add     r11, r11, r0
    keep    DW_END, r11
    add     r8, r0, #4
    fetch   r9, DW_LANE
    subs    r9, r9, #1
    bne     .Llane_\name
    ldr     r8, [r12, #DW_GROUP]
    add     r8, r8, r0
    mov     r9, #4
.Llane_\name:
    keep    DW_LANE, r9
    keep    DW_WORDS, r8
    fetch   r8, DW_OUTPUTS
    keep    DW_OUTPUT, r8
    add     r8, r8, #1
    keep    DW_OUTPUTS, r8
.Lrow_\name:
.if \stride == 1
    // A last row without a second one: the lower outputs go where the upper ones overwrite them.
    fetch   r8, DW_ROWS
    fetch   r12, DW_ARGUMENTS
    ldr     r9, [r12, #DW_SINGLE]
    cmp     r8, r9
    it      eq
    moveq   r9, #0
    bne     .Lwhole_\name
    keep    DW_ROW, r9
.Lwhole_\name:
.endif
    fetch   r12, DW_END
    fetch   r8, DW_SHIFT
    cmp     r0, r12
    beq     .Lodd_\name
    cmp     r8, #0
    bge     .Lpair_\name
    .p2align 2
.Llevelled_\name:
    dw_pair \stride, 1
    bne     .Llevelled_\name
    b       .Lodd_\name
    .p2align 2
.Lpair_\name:
    dw_pair \stride, 0
    bne     .Lpair_\name
.Lodd_\name:
    fetch   r12, DW_ARGUMENTS
    ldr     r12, [r12, #DW_ODD]
    cmp     r12, #0
    beq     .Lnext_\name
    dw_single \stride
    fetch   r12, DW_SHIFT
    cmp     r12, #0
    bge     .Lsingle_\name
    dw_finish_single \stride, 1
    b       .Lnext_\name
.Lsingle_\name:
    dw_finish_single \stride, 0
.Lnext_\name:
    fetch   r8, DW_ROWS
    subs    r8, r8, #1
    beq     .Lplane_\name
    keep    DW_ROWS, r8
    // From the end of the full pairs, where r0 stands, to the next row.
    fetch   r12, DW_ARGUMENTS
    ldr     r8, [r12, #DW_PITCH]
    ldr     r9, [r12, #DW_PAIRS]
    ldr     r10, [r12, #DW_ADVANCE]
    fetch   r11, DW_END
    sub     r0, r11, r9
    add     r0, r0, r8
    add     r1, r0, r8
    add     r11, r11, r8
    keep    DW_END, r11
    fetch   r11, DW_OUTPUT
    add     r11, r11, r10
    keep    DW_OUTPUT, r11
    b       .Lrow_\name
.Lplane_\name:
    fetch   r8, DW_CHANNELS
    subs    r8, r8, #1
    keep    DW_CHANNELS, r8
    bne     .Lchannel_\name
    release_slots 16
    pop     {r4-r11, pc}
    .size \name, . - \name
.endm

dw_kernel secateur_row_pairs_1, 1
dw_kernel secateur_row_pairs_2, 2

// Two rows of pixels to words, block by block. r0: arguments, which are the first pixels of either row (any alignment), the
// target, columns (at least 1), bytes from a pixel to the next in either row, blocks (at least 1), bytes from behind a block's
// words to the next one's, the same in either row. Writes four words per column.
// The words of one column, whose values in either row are \upper and \lower. Values stand in the upper bytes of halves: times 256. The mask of these bytes is in lr.
.macro pair_column upper, lower, at
    and     r10, lr, \upper, lsl #8
    and     r11, lr, \lower, lsl #8
    and     \upper, \upper, lr
    and     \lower, \lower, lr
    pkhbt   r12, r10, r11, lsl #16
    pkhtb   r10, r11, r10, asr #16
    pkhbt   r11, \upper, \lower, lsl #16
    pkhtb   \upper, \lower, \upper, asr #16
    str     r12, [r2, #\at]
    str     r11, [r2, #(\at + 4)]
    str     r10, [r2, #(\at + 8)]
    str     \upper, [r2, #(\at + 12)]
.endm

function secateur_pair_rows
    push    {r4-r11, lr}
    sub     sp, sp, #16
    ldr     r4, [r0, #24]
    ldr     r5, [r0, #28]
    ldr     r6, [r0, #32]
    ldr     r7, [r0, #36]
    stm     sp, {r4, r5, r6, r7}
    ldr     r6, [r0, #12]
    push    {r6}
    ldm     r0, {r0-r5}
    mov     lr, #0xff00ff00
.Lpair_rows:
    subs    r3, r3, #2
    blt     .Lpair_last
.Lpair_two:
    ldr     r6, [r0]
    ldr     r7, [r1]
    ldr     r8, [r0, r4]
    ldr     r9, [r1, r5]
    add     r0, r0, r4, lsl #1
    add     r1, r1, r5, lsl #1
    pair_column r6, r7, 0
    pair_column r8, r9, 16
    add     r2, r2, #32
    subs    r3, r3, #2
    bge     .Lpair_two
.Lpair_last:
    adds    r3, r3, #1
    bne     .Lpair_next
    ldr     r6, [r0]
    ldr     r7, [r1]
    add     r0, r0, r4
    add     r1, r1, r5
    pair_column r6, r7, 0
    add     r2, r2, #16
.Lpair_next:
    ldm     sp, {r3, r6, r7, r8, r9}    // columns, blocks, and the gaps
    add     r2, r2, r7
    add     r0, r0, r8
    add     r1, r1, r9
    subs    r6, r6, #1
    str     r6, [sp, #4]
    bne     .Lpair_rows
    add     sp, sp, #20
    pop     {r4-r11, pc}
    .size secateur_pair_rows, . - secateur_pair_rows
