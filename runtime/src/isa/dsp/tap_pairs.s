// Depthwise convolution on tap pairs (see packing/tap_pairs.rs) for Armv7E-M and Armv8-M with the DSP extension.
//
//     for each channel:
//         for each output column:
//             for each four output rows, the last four of which may overlap those before:
//                 four sums = twice the bias
//                 for each kernel column:
//                     for each word of weights: four sums += dual product of it and the words of four rows
//                 requantize, store
//
// The steps of a kernel column are unrolled. A column of fewer steps is entered where as many are left, with the inputs set
// back by the steps that are skipped; every instruction of a step is 4 bytes long, so that the place is a product. Where
// there are fewer than four rows, the last ones write to the place of the last valid one, before that one does.
//
// Two channels that share their input are computed together, eight sums at a time.

.syntax unified
.thumb

// The arguments, which become the frame: r0 to r3 are pushed below those on the stack. Two channels count as one. Offsets from the stack pointer, with
// nine registers saved.
.equ TP_INPUT, 36           // input of the next block, set back
.equ TP_WEIGHTS, 40         // weights of the channel
.equ TP_BIAS, 44
.equ TP_SKIP, 48            // bytes from a kernel column's input to the next
.equ TP_END, 52             // end of the channel's weights; at the start, of none
.equ TP_ENTRY, 56           // where a kernel column starts; at the start, its distance from the first step
.equ TP_MANTISSA, 60
.equ TP_SHIFT, 64
.equ TP_ZERO_POINT, 68
.equ TP_OUTPUT, 72          // fourth output of the next block
.equ TP_THIRD, 76           // bytes from the third output of a block to the fourth
.equ TP_SECOND, 80          // bytes from the second to the third
.equ TP_FIRST, 84           // bytes from the first to the second
.equ TP_LEFT, 88            // rows left after the next block
.equ TP_PITCH, 92           // bytes from an output row to the next
.equ TP_COLUMN_INPUT, 96    // input and output of the column's first block
.equ TP_COLUMN_OUTPUT, 100
.equ TP_COLUMNS, 104        // columns left
.equ TP_CHANNEL_INPUT, 108  // input and output of the channel's first block
.equ TP_CHANNEL_OUTPUT, 112
.equ TP_CHANNELS, 116       // channels left
.equ TP_RECORD, 120         // next record
.equ TP_ROWS, 124           // rows after the first block
.equ TP_ALL_COLUMNS, 128
.equ TP_COLUMN, 132         // bytes from an output column's input to the next
.equ TP_COLUMN_PITCH, 136   // bytes from an output column to the next
.equ TP_CHANNEL_BYTES, 140  // bytes of a channel's weights
.equ TP_PLANE, 144          // bytes from a channel's input to the next
.equ TP_ADVANCE, 148        // bytes from a kernel column's weights to the next, for two channels
.equ TP_BIAS_2, 152         // of the second channel
.equ TP_MANTISSA_2, 156
.equ TP_SHIFT_2, 160

.macro tp_step_one advance, u
    ldr.w   r3, [r0, #(4 * \advance * \u)]
    ldr.w   r4, [r0, #(4 * \advance * \u + 4)]
    ldr.w   r5, [r0, #(4 * \advance * \u + 8)]
    ldr.w   r6, [r0, #(4 * \advance * \u + 12)]
    ldr.w   r2, [r1], #4
    smlad   r7, r2, r3, r7
    smlad   r8, r2, r4, r8
    smlad   r9, r2, r5, r9
    smlad   r10, r2, r6, r10
.endm

// Sums in r4 to r7 and r8 to r11, inputs at r0, weights at r1.
.macro tp_step_two advance, u
    ldr.w   r12, [r0, #(4 * \advance * \u)]
    ldr.w   lr, [r0, #(4 * \advance * \u + 4)]
    ldr.w   r2, [r1, #(8 * \u)]
    ldr.w   r3, [r1, #(8 * \u + 4)]
    smlad   r4, r2, r12, r4
    smlad   r5, r2, lr, r5
    smlad   r8, r3, r12, r8
    smlad   r9, r3, lr, r9
    ldr.w   r12, [r0, #(4 * \advance * \u + 8)]
    ldr.w   lr, [r0, #(4 * \advance * \u + 12)]
    smlad   r6, r2, r12, r6
    smlad   r7, r2, lr, r7
    smlad   r10, r3, r12, r10
    smlad   r11, r3, lr, r11
.endm

// Sums in r7 to r10, inputs at r0, weights at r1 up to r12.
.macro tp_next_one
    add     r0, r0, r11
    cmp     r1, r12
    it      ne
    bxne    lr
.endm

.macro tp_next_two
    ldr     r2, [sp, #TP_SKIP]
    ldr     r3, [sp, #TP_ADVANCE]
    ldr.w   r12, [sp, #TP_END]
    ldr.w   lr, [sp, #TP_ENTRY]
    add     r0, r0, r2
    add     r1, r1, r3
    cmp     r1, r12
    it      ne
    bxne    lr
.endm

.macro tp_column count, advance
    tp_step_\count \advance, 0
    tp_step_\count \advance, 1
    tp_step_\count \advance, 2
    tp_step_\count \advance, 3
    tp_step_\count \advance, 4
    tp_step_\count \advance, 5
    tp_step_\count \advance, 6
    tp_step_\count \advance, 7
    tp_next_\count
.endm

.macro tp_enter_one
    ldr.w   r7, [sp, #TP_BIAS]
    ldr.w   r11, [sp, #TP_SKIP]
    ldr.w   r12, [sp, #TP_END]
    ldr.w   lr, [sp, #TP_ENTRY]
    mov     r8, r7
    mov     r9, r7
    mov     r10, r7
    bx      lr
.endm

.macro tp_enter_two
    ldr     r4, [sp, #TP_BIAS]
    ldr.w   r8, [sp, #TP_BIAS_2]
    ldr.w   lr, [sp, #TP_ENTRY]
    mov     r5, r4
    mov     r6, r4
    mov     r7, r4
    mov     r9, r8
    mov     r10, r8
    mov     r11, r8
    bx      lr
.endm

// Four sums, requantized with what the registers hold.
.macro tp_round_four sum0, sum1, sum2, sum3
    smmulr  \sum0, \sum0, r0
    smmulr  \sum1, \sum1, r0
    smmulr  \sum2, \sum2, r0
    smmulr  \sum3, \sum3, r0
    tp_round \sum0
    tp_round \sum1
    tp_round \sum2
    tp_round \sum3
.endm

// Twice the sum, times mantissa r0, shifted right by r1, plus zero point r2; the sum has been multiplied.
.macro tp_round sum
    add     \sum, \sum, \sum, asr #31
    asrs    \sum, \sum, r1
    adc     \sum, \sum, r2
    ssat    \sum, #8, \sum
.endm

// Places of the four outputs: r3, r0, r1, r2 from the fourth to the first.
.macro tp_places
    ldr     r3, [sp, #TP_OUTPUT]
    ldr     r0, [sp, #TP_THIRD]
    ldr     r1, [sp, #TP_SECOND]
    ldr     r2, [sp, #TP_FIRST]
    subs    r0, r3, r0
    subs    r1, r0, r1
    subs    r2, r1, r2
.endm

.macro tp_finish_one
    ldr     r0, [sp, #TP_MANTISSA]
    ldr     r1, [sp, #TP_SHIFT]
    ldr     r2, [sp, #TP_ZERO_POINT]
    tp_round_four r7, r8, r9, r10
    tp_places
    strb.w  r10, [r3]
    strb.w  r9, [r0]
    strb.w  r8, [r1]
    strb    r7, [r2]
.endm

.macro tp_finish_two
    ldr     r0, [sp, #TP_MANTISSA]
    ldr     r1, [sp, #TP_SHIFT]
    ldr     r2, [sp, #TP_ZERO_POINT]
    tp_round_four r4, r5, r6, r7
    ldr     r0, [sp, #TP_MANTISSA_2]
    ldr     r1, [sp, #TP_SHIFT_2]
    tp_round_four r8, r9, r10, r11
    tp_places
    strb    r7, [r3]
    strb.w  r11, [r3, #1]
    strb    r6, [r0]
    strb.w  r10, [r0, #1]
    strb    r5, [r1]
    strb.w  r9, [r1, #1]
    strb    r4, [r2]
    strb.w  r8, [r2, #1]
.endm

.macro tp_record_one
    ldm     r0!, {r1, r2, r3}
.endm

.macro tp_record_two
    ldm     r0!, {r1, r2, r3, r6, r7, r8}
    str     r6, [sp, #TP_BIAS_2]
    str     r7, [sp, #TP_MANTISSA_2]
    str.w   r8, [sp, #TP_SHIFT_2]
.endm

.macro tp_function name
    .global \name
    .type \name, %function
    .thumb_func
    .p2align 2
\name:
.endm

// \count: "one" or "two" channels at a time.
.macro tp_kernel count, channels
    .section .text.secateur_tap_\count, "ax", %progbits
tp_function secateur_tap_\count\()_1
    push    {r0-r3}
    push    {r4-r11, lr}
    adr.w   r4, .Lsteps_1_\count
    b       .Lstart_\count
    .size secateur_tap_\count\()_1, . - secateur_tap_\count\()_1

tp_function secateur_tap_\count\()_2
    push    {r0-r3}
    push    {r4-r11, lr}
    adr.w   r4, .Lsteps_2_\count
.Lstart_\count:
    ldr     r5, [sp, #TP_ENTRY]
    add     r4, r4, r5
    orr     r4, r4, #1
    str     r4, [sp, #TP_ENTRY]
.Lchannel_\count:
    ldr     r0, [sp, #TP_RECORD]
    ldr     r4, [sp, #TP_END]
    ldr     r5, [sp, #TP_CHANNEL_BYTES]
    tp_record_\count
    str     r0, [sp, #TP_RECORD]
    str     r1, [sp, #TP_BIAS]
    str     r2, [sp, #TP_MANTISSA]
    str     r3, [sp, #TP_SHIFT]
    str     r4, [sp, #TP_WEIGHTS]
    add     r4, r4, r5
    str     r4, [sp, #TP_END]
    ldr     r0, [sp, #TP_CHANNEL_INPUT]
    ldr     r1, [sp, #TP_CHANNEL_OUTPUT]
    ldr     r2, [sp, #TP_ALL_COLUMNS]
    str     r0, [sp, #TP_COLUMN_INPUT]
    str     r1, [sp, #TP_COLUMN_OUTPUT]
.Lcolumn_\count:
    str     r2, [sp, #TP_COLUMNS]
    ldr     r2, [sp, #TP_ROWS]
    str     r1, [sp, #TP_OUTPUT]
    str     r2, [sp, #TP_LEFT]
    // r0: input of the block.
.Lblock_\count:
    str     r0, [sp, #TP_INPUT]
    ldr     r1, [sp, #TP_WEIGHTS]
    tp_enter_\count
    .p2align 2
.Lsteps_2_\count:
    tp_column \count, 2
    b       .Lfinish_\count
    .p2align 2
.Lsteps_1_\count:
    tp_column \count, 1
.Lfinish_\count:
    tp_finish_\count
    ldr     r1, [sp, #TP_LEFT]
    ldr     r0, [sp, #TP_INPUT]
    ldr     r2, [sp, #TP_PITCH]
    cbz     r1, .Lnext_\count
    mov     r4, r1
    cmp     r4, #4
    it      hi
    movhi   r4, #4
    subs    r1, r1, r4
    add     r0, r0, r4, lsl #2
    mla     r3, r4, r2, r3
    str     r1, [sp, #TP_LEFT]
    str     r3, [sp, #TP_OUTPUT]
    b       .Lblock_\count
.Lnext_\count:
    ldr     r2, [sp, #TP_COLUMNS]
    ldr     r0, [sp, #TP_COLUMN_INPUT]
    ldr     r3, [sp, #TP_COLUMN]
    ldr     r1, [sp, #TP_COLUMN_OUTPUT]
    ldr     r4, [sp, #TP_COLUMN_PITCH]
    subs    r2, r2, #1
    beq     .Lnext_channel_\count
    add     r0, r0, r3
    add     r1, r1, r4
    str     r0, [sp, #TP_COLUMN_INPUT]
    str     r1, [sp, #TP_COLUMN_OUTPUT]
    b       .Lcolumn_\count
.Lnext_channel_\count:
    ldr     r2, [sp, #TP_CHANNELS]
    ldr     r0, [sp, #TP_CHANNEL_INPUT]
    ldr     r3, [sp, #TP_PLANE]
    ldr     r1, [sp, #TP_CHANNEL_OUTPUT]
    subs    r2, r2, #1
    beq     .Ldone_\count
    add     r0, r0, r3
    adds    r1, r1, #\channels
    str     r2, [sp, #TP_CHANNELS]
    str     r0, [sp, #TP_CHANNEL_INPUT]
    str     r1, [sp, #TP_CHANNEL_OUTPUT]
    b       .Lchannel_\count
.Ldone_\count:
    pop     {r4-r11, lr}
    add     sp, sp, #16
    bx      lr
    .size secateur_tap_\count\()_2, . - secateur_tap_\count\()_2
.endm

tp_kernel one, 1
tp_kernel two, 2

// ---- Rows to pairs ----
//
//     for each column:
//         for each run: read the rows' places and pitches; for each pair: read a byte or four of both rows, write words
//
// A row of pitch 0 is padding, read from where that stands.

// The arguments, as above.
.equ ST_RUN, 36             // next run
.equ ST_RUNS, 40
.equ ST_END, 44
.equ ST_IMAGE, 48           // the column in the image
.equ ST_PADDING, 52
.equ ST_COLUMNS, 56         // columns left
.equ ST_COLUMN, 60          // bytes from a column to the next
.equ ST_OUTPUT, 64
.equ ST_PLANE, 68           // bytes from a channel's words to the next channel's

// Four channels of rows at r0 and r1 to words at r2, r5, r6 and r7.
.macro st_pair_4
    ldr.w   r8, [r0]
    ldr.w   r9, [r1]
    add     r0, r0, r4
    add     r1, r1, lr
    sxtb16  r10, r8
    sxtb16  r11, r9
    sxtb16  r8, r8, ror #8
    sxtb16  r9, r9, ror #8
    pkhbt   r12, r10, r11, lsl #16
    pkhtb   r10, r11, r10, asr #16
    str     r12, [r2], #4
    str     r10, [r6], #4
    pkhbt   r12, r8, r9, lsl #16
    pkhtb   r8, r9, r8, asr #16
    str     r12, [r5], #4
    str     r8, [r7], #4
.endm

.macro st_pair_1
    ldrsb.w r8, [r0]
    ldrsb.w r9, [r1]
    add     r0, r0, r4
    add     r1, r1, lr
    pkhbt   r8, r8, r9, lsl #16
    str     r8, [r2], #4
.endm

.macro st_function channels
    .section .text.secateur_stack_rows_\channels, "ax", %progbits
tp_function secateur_stack_rows_\channels
    push    {r0-r3}
    push    {r4-r11, lr}
    ldr     r2, [sp, #ST_OUTPUT]
.if \channels == 4
    ldr     r7, [sp, #ST_PLANE]
    add     r5, r2, r7
    add     r6, r5, r7
    add     r7, r6, r7
.endif
    ldr.w   r8, [sp, #ST_RUNS]
.Lrun_\channels:
    ldm.w   r8!, {r0, r1, r3, r4, lr}
    ldr.w   r9, [sp, #ST_IMAGE]
    ldr.w   r10, [sp, #ST_PADDING]
    str.w   r8, [sp, #ST_RUN]
    cmp     r4, #0
    ite     ne
    addne   r0, r0, r9
    moveq   r0, r10
    cmp     lr, #0
    ite     ne
    addne   r1, r1, r9
    moveq   r1, r10
.Lpair_\channels:
    st_pair_\channels
    subs    r3, r3, #1
    bne     .Lpair_\channels
    ldr.w   r8, [sp, #ST_RUN]
    ldr.w   r9, [sp, #ST_END]
    cmp     r8, r9
    bne     .Lrun_\channels
    ldr     r0, [sp, #ST_COLUMNS]
    ldr.w   r8, [sp, #ST_RUNS]
    ldr.w   r9, [sp, #ST_IMAGE]
    ldr     r1, [sp, #ST_COLUMN]
    subs    r0, r0, #1
    beq     .Ldone_\channels
    add     r9, r9, r1
    str     r0, [sp, #ST_COLUMNS]
    str.w   r9, [sp, #ST_IMAGE]
    b       .Lrun_\channels
.Ldone_\channels:
    pop     {r4-r11, lr}
    add     sp, sp, #16
    bx      lr
    .size secateur_stack_rows_\channels, . - secateur_stack_rows_\channels
.endm

st_function 4
st_function 1
