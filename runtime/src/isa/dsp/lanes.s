// Dense layers on byte-pair lanes (see packing/lanes.rs) for Armv7E-M and Armv8-M with the DSP extension.
//
// One function per group size S (output channels) and number of pixels P that share the loads of weights:
//
//     for each group:
//         F[pair][pixel], L[pair][pixel] = the record's initial values
//         for each input pair:
//             for each channel pair:
//                 F += dual product of the raw weight word and the inputs   (256 x upper sum + lower sum)
//                 L += dual product of the word's low bytes and the inputs  (lower sum)
//         upper sum = (F - L) >> 8, lower sum = L
//         requantize, store S bytes per pixel
//
// Tricks: one sxtb16 unpacks four weights. A shift by 7 instead of 8 leaves the upper sum doubled, as smmulr wants it. The
// loop over input pairs is unrolled; where the number of pairs is no multiple of the unrolling, the first round starts
// inside the block, with pointers set back accordingly, so there is no tail. Every instruction of a step is 4 bytes
// long: the place to start at is a product. All registers but sp and pc hold data; the rest lives in the frame.

.syntax unified
.thumb

// Frame.
.equ WORDS, 0           // next group's weights, while requantizing
.equ INPUT, 4           // inputs, set back by the steps that the first round skips
.equ RECORD, 8          // next record
.equ OUTPUT, 12         // next output of pixel 0
.equ GROUPS, 16         // groups left
.equ INPUT_END, 20      // end of the inputs
.equ ZERO_POINT, 24
.equ PITCH, 28          // bytes from pixel 0 to pixel 1 in the output
.equ ENTRY, 32          // where the first round starts
.equ BACK, 36           // bytes that the weights are set back by
.equ RELU, 40           // not 0: the lower clamp is the zero point, -128
.equ FRAME, 44

// r0: arguments. Leaves the frame filled and the weights in r0.
.macro prologue loop, weight_bytes, input_bytes, unroll, step_bytes
    push    {r4-r11, lr}
    sub     sp, sp, #FRAME
    ldm     r0, {r1-r9}             // words, input, record, output, groups, pairs, zero point, pitch, relu
    rsb     r10, r6, #0
    and     r10, r10, #(\unroll - 1)
    mov     r11, #\input_bytes
    mla     r12, r6, r11, r2
    mls     r2, r10, r11, r2
    mov     r11, #\weight_bytes
    mul     r11, r10, r11
    mov     lr, #\step_bytes
    mul     r10, r10, lr
    adr.w   lr, \loop
    add     r10, r10, lr
    orr     r10, r10, #1
    strd    r2, r3, [sp, #INPUT]
    strd    r4, r5, [sp, #OUTPUT]
    strd    r12, r7, [sp, #INPUT_END]
    str     r8, [sp, #PITCH]
    strd    r10, r11, [sp, #ENTRY]
    str     r9, [sp, #RELU]
.if FPU
    vmov    s0, r12
.endif
    mov     r0, r1
.endm

// r4: this group's record is expected in it. Sets r1 and enters the unrolled block through r5.
.macro enter
    ldr     r1, [sp, #INPUT]
    ldrd    r5, r2, [sp, #ENTRY]
    sub     r0, r0, r2
    bx      r5
.endm

// Goes to the loop's start until the inputs are used up. Overwrites r2.
.macro again loop, weight_bytes, input_bytes, unroll
    add     r0, r0, #(\weight_bytes * \unroll)
    add     r1, r1, #(\input_bytes * \unroll)
.if FPU
    vmov    r2, s0
.else
    ldr     r2, [sp, #INPUT_END]
.endif
    cmp     r1, r2
    bne     \loop
.endm

.macro next_group group
    ldr     r2, [sp, #GROUPS]
    subs    r2, r2, #1
    str     r2, [sp, #GROUPS]
    bne     \group
    add     sp, sp, #FRAME
    pop     {r4-r11, pc}
.endm

// Twice the upper sum into \full.
.macro split full, low
    sub     \full, \full, \low
    asr     \full, \full, #7
.endm

// TensorFlow Lite's two roundings of a doubled sum: mantissa in r3, right shift (1 to 31) in r4, zero point in r5.
// The add turns "round half up" into "round half away from zero"; the last bit shifted out is the carry that rounds.
// With a lower clamp at the zero point -128 the sign of a half below zero does not matter.
.macro requantize sum, relu
    smmulr  \sum, \sum, r3
.if !\relu
    add     \sum, \sum, \sum, asr #31
.endif
    asrs    \sum, \sum, r4
    adc     \sum, \sum, r5
    ssat    \sum, #8, \sum
.endm

// One channel of two pixels; the next outputs are at r0 and r2, the record at r1.
.macro finish_x2 sum0, sum1, doubled, relu
    ldm     r1!, {r3, r4}
.if !\doubled
    lsl     \sum0, \sum0, #1
    lsl     \sum1, \sum1, #1
.endif
    requantize \sum0, \relu
    requantize \sum1, \relu
    strb    \sum0, [r0], #1
    strb    \sum1, [r2], #1
.endm

// One channel of one pixel.
.macro finish_x1 sum, doubled, relu
    ldm     r1!, {r3, r4}
.if !\doubled
    lsl     \sum, \sum, #1
.endif
    requantize \sum, \relu
    strb    \sum, [r0], #1
.endm

.macro begin_finish
    str     r0, [sp, #WORDS]
    ldrd    r1, r0, [sp, #RECORD]
    ldrd    r5, r2, [sp, #ZERO_POINT]
    add     r2, r0, r2
.endm

.macro end_finish
    strd    r1, r0, [sp, #RECORD]
    ldr     r0, [sp, #WORDS]
.endm

.macro function name
    .section .text.\name, "ax", %progbits
    .global \name
    .type \name, %function
    .thumb_func
    .p2align 2
\name:
.endm

// ---- 4 channels x 2 pixels: F01 r6 r8, L01 r7 r9, F23 r10 r12, L23 r11 lr ----

.macro step_4x2 u
    ldr.w   r2, [r0, #(8 * \u)]
    ldr.w   r3, [r0, #(8 * \u + 4)]
    ldr.w   r4, [r1, #(8 * \u)]
    ldr.w   r5, [r1, #(8 * \u + 4)]
    smlad   r6, r2, r4, r6
    smlad   r8, r2, r5, r8
    sxtb16  r2, r2
    smlad   r10, r3, r4, r10
    smlad   r12, r3, r5, r12
    sxtb16  r3, r3
    smlad   r7, r2, r4, r7
    smlad   r9, r2, r5, r9
    smlad   r11, r3, r4, r11
    smlad   lr, r3, r5, lr
.endm

.macro finish_4x2 relu
    finish_x2 r7, r9, 0, \relu
    finish_x2 r6, r8, 1, \relu
    finish_x2 r11, lr, 0, \relu
    finish_x2 r10, r12, 1, \relu
.endm

function secateur_lanes_4x2
    prologue .Lloop_4x2, 8, 8, 8, 56
.Lgroup_4x2:
    ldr     r4, [sp, #RECORD]
    ldm     r4!, {r6, r7, r10, r11}
    str     r4, [sp, #RECORD]
    mov     r8, r6
    mov     r9, r7
    mov     r12, r10
    mov     lr, r11
    enter
    .p2align 2
.Lloop_4x2:
    step_4x2 0
    step_4x2 1
    step_4x2 2
    step_4x2 3
    step_4x2 4
    step_4x2 5
    step_4x2 6
    step_4x2 7
    again   .Lloop_4x2, 8, 8, 8
    split   r6, r7
    split   r8, r9
    split   r10, r11
    split   r12, lr
    ldr     r3, [sp, #RELU]
    begin_finish
    cmp     r3, #0
    beq     .Lany_4x2
    finish_4x2 1
    b       .Ldone_4x2
.Lany_4x2:
    finish_4x2 0
.Ldone_4x2:
    end_finish
    next_group .Lgroup_4x2
    .size secateur_lanes_4x2, . - secateur_lanes_4x2

// ---- 2 channels x 2 pixels: F r6 r8, L r7 r9 ----

.macro step_2x2 u
    ldr.w   r2, [r0, #(4 * \u)]
    ldr.w   r4, [r1, #(8 * \u)]
    ldr.w   r5, [r1, #(8 * \u + 4)]
    smlad   r6, r2, r4, r6
    smlad   r8, r2, r5, r8
    sxtb16  r2, r2
    smlad   r7, r2, r4, r7
    smlad   r9, r2, r5, r9
.endm

function secateur_lanes_2x2
    prologue .Lloop_2x2, 4, 8, 4, 32
.Lgroup_2x2:
    ldr     r4, [sp, #RECORD]
    ldm     r4!, {r6, r7}
    str     r4, [sp, #RECORD]
    mov     r8, r6
    mov     r9, r7
    enter
    .p2align 2
.Lloop_2x2:
    step_2x2 0
    step_2x2 1
    step_2x2 2
    step_2x2 3
    again   .Lloop_2x2, 4, 8, 4
    split   r6, r7
    split   r8, r9
    begin_finish
    finish_x2 r7, r9, 0, 0
    finish_x2 r6, r8, 1, 0
    end_finish
    next_group .Lgroup_2x2
    .size secateur_lanes_2x2, . - secateur_lanes_2x2

// ---- 8 channels x 1 pixel: F r6 r8 r10 r12, L r7 r9 r11 lr ----

.macro step_8x1 u
    ldr.w   r4, [r1, #(4 * \u)]
    ldr.w   r2, [r0, #(16 * \u)]
    ldr.w   r3, [r0, #(16 * \u + 4)]
    ldr.w   r5, [r0, #(16 * \u + 8)]
    smlad   r6, r2, r4, r6
    sxtb16  r2, r2
    smlad   r8, r3, r4, r8
    sxtb16  r3, r3
    smlad   r10, r5, r4, r10
    sxtb16  r5, r5
    smlad   r7, r2, r4, r7
    smlad   r9, r3, r4, r9
    ldr.w   r2, [r0, #(16 * \u + 12)]
    smlad   r11, r5, r4, r11
    smlad   r12, r2, r4, r12
    sxtb16  r2, r2
    smlad   lr, r2, r4, lr
.endm

.macro finish_8x1 relu
    finish_x1 r7, 0, \relu
    finish_x1 r6, 1, \relu
    finish_x1 r9, 0, \relu
    finish_x1 r8, 1, \relu
    finish_x1 r11, 0, \relu
    finish_x1 r10, 1, \relu
    finish_x1 lr, 0, \relu
    finish_x1 r12, 1, \relu
.endm

function secateur_lanes_8x1
    prologue .Lloop_8x1, 16, 4, 8, 68
.Lgroup_8x1:
    ldr     r4, [sp, #RECORD]
    ldm     r4!, {r6-r12, lr}
    str     r4, [sp, #RECORD]
    enter
    .p2align 2
.Lloop_8x1:
    step_8x1 0
    step_8x1 1
    step_8x1 2
    step_8x1 3
    step_8x1 4
    step_8x1 5
    step_8x1 6
    step_8x1 7
    again   .Lloop_8x1, 16, 4, 8
    split   r6, r7
    split   r8, r9
    split   r10, r11
    split   r12, lr
    ldr     r3, [sp, #RELU]
    begin_finish
    cmp     r3, #0
    beq     .Lany_8x1
    finish_8x1 1
    b       .Ldone_8x1
.Lany_8x1:
    finish_8x1 0
.Ldone_8x1:
    end_finish
    next_group .Lgroup_8x1
    .size secateur_lanes_8x1, . - secateur_lanes_8x1

// ---- 4 channels x 1 pixel: F r6 r8, L r7 r9 ----

.macro step_4x1 u
    ldr.w   r4, [r1, #(4 * \u)]
    ldr.w   r2, [r0, #(8 * \u)]
    ldr.w   r3, [r0, #(8 * \u + 4)]
    smlad   r6, r2, r4, r6
    sxtb16  r2, r2
    smlad   r8, r3, r4, r8
    sxtb16  r3, r3
    smlad   r7, r2, r4, r7
    smlad   r9, r3, r4, r9
.endm

function secateur_lanes_4x1
    prologue .Lloop_4x1, 8, 4, 4, 36
.Lgroup_4x1:
    ldr     r4, [sp, #RECORD]
    ldm     r4!, {r6-r9}
    str     r4, [sp, #RECORD]
    enter
    .p2align 2
.Lloop_4x1:
    step_4x1 0
    step_4x1 1
    step_4x1 2
    step_4x1 3
    again   .Lloop_4x1, 8, 4, 4
    split   r6, r7
    split   r8, r9
    begin_finish
    finish_x1 r7, 0, 0
    finish_x1 r6, 1, 0
    finish_x1 r9, 0, 0
    finish_x1 r8, 1, 0
    end_finish
    next_group .Lgroup_4x1
    .size secateur_lanes_4x1, . - secateur_lanes_4x1

// ---- 2 channels x 1 pixel: F r6, L r7 ----

.macro step_2x1 u
    ldr.w   r4, [r1, #(4 * \u)]
    ldr.w   r2, [r0, #(4 * \u)]
    smlad   r6, r2, r4, r6
    sxtb16  r2, r2
    smlad   r7, r2, r4, r7
.endm

function secateur_lanes_2x1
    prologue .Lloop_2x1, 4, 4, 4, 20
.Lgroup_2x1:
    ldr     r4, [sp, #RECORD]
    ldm     r4!, {r6, r7}
    str     r4, [sp, #RECORD]
    enter
    .p2align 2
.Lloop_2x1:
    step_2x1 0
    step_2x1 1
    step_2x1 2
    step_2x1 3
    again   .Lloop_2x1, 4, 4, 4
    split   r6, r7
    begin_finish
    finish_x1 r7, 0, 0
    finish_x1 r6, 1, 0
    end_finish
    next_group .Lgroup_2x1
    .size secateur_lanes_2x1, . - secateur_lanes_2x1

// ---- Widening: rows of bytes to rows of pairs of halfwords, pairs \pitch bytes apart ----
//
// r0: source (any alignment), r1: target (4-aligned), r2: bytes per row (at least 1), r3: rows (at least 1),
// [sp]: bytes from the start of a source row to the start of the next, [sp, #4]: bytes between the rows of the target.
// A row of odd length leaves half a pair unwritten.

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
    push    {r4-r8, lr}
    ldrd    r4, r8, [sp, #24]
    sub     r4, r4, r2                  // from a row's end to the next row
.Lrow_\pitch:
    mov     r5, r2
    subs    r5, r5, #8
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
    pop     {r4-r8, pc}
    .size \name, . - \name
.endm

widen secateur_widen_1, 4
widen secateur_widen_2, 8
