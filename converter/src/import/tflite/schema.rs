//! What is used of the TensorFlow Lite schema, version 3: numbers of fields and enumerators.

use super::flatbuffer::Field;

/// The bytes 4 to 8 of a file.
pub(super) const IDENTIFIER: &[u8] = b"TFL3";

/// The version that `Model.version` must state.
pub(super) const VERSION: u32 = 3;

macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident { $($field:ident = $number:literal $name:literal;)* })*) => {$(
        $(#[$doc])*
        pub(super) mod $table {
            use super::Field;

            $(pub(in super::super) const $field: Field = Field { number: $number, name: $name };)*
        }
    )*};
}

tables! {
    /// The root table.
    model {
        VERSION = 0 "version";
        OPERATOR_CODES = 1 "operator_codes";
        SUBGRAPHS = 2 "subgraphs";
        BUFFERS = 4 "buffers";
        SIGNATURE_DEFS = 7 "signature_defs";
    }
    signature_def {
        SUBGRAPH_INDEX = 4 "subgraph_index";
    }
    operator_code {
        DEPRECATED_BUILTIN_CODE = 0 "deprecated_builtin_code";
        CUSTOM_CODE = 1 "custom_code";
        VERSION = 2 "version";
        BUILTIN_CODE = 3 "builtin_code";
    }
    subgraph {
        TENSORS = 0 "tensors";
        INPUTS = 1 "inputs";
        OUTPUTS = 2 "outputs";
        OPERATORS = 3 "operators";
        NAME = 4 "name";
    }
    tensor {
        SHAPE = 0 "shape";
        TYPE = 1 "type";
        BUFFER = 2 "buffer";
        NAME = 3 "name";
        QUANTIZATION = 4 "quantization";
        IS_VARIABLE = 5 "is_variable";
        SPARSITY = 6 "sparsity";
        SHAPE_SIGNATURE = 7 "shape_signature";
    }
    quantization {
        SCALE = 2 "scale";
        ZERO_POINT = 3 "zero_point";
        DETAILS_TYPE = 4 "details_type";
        QUANTIZED_DIMENSION = 6 "quantized_dimension";
    }
    buffer {
        DATA = 0 "data";
        OFFSET = 1 "offset";
        SIZE = 2 "size";
    }
    operator {
        OPCODE_INDEX = 0 "opcode_index";
        INPUTS = 1 "inputs";
        OUTPUTS = 2 "outputs";
        BUILTIN_OPTIONS_TYPE = 3 "builtin_options_type";
        BUILTIN_OPTIONS = 4 "builtin_options";
    }
    conv_2d_options {
        PADDING = 0 "padding";
        STRIDE_W = 1 "stride_w";
        STRIDE_H = 2 "stride_h";
        ACTIVATION = 3 "fused_activation_function";
        DILATION_W = 4 "dilation_w_factor";
        DILATION_H = 5 "dilation_h_factor";
    }
    depthwise_conv_2d_options {
        PADDING = 0 "padding";
        STRIDE_W = 1 "stride_w";
        STRIDE_H = 2 "stride_h";
        ACTIVATION = 4 "fused_activation_function";
        DILATION_W = 5 "dilation_w_factor";
        DILATION_H = 6 "dilation_h_factor";
    }
    transpose_conv_options {
        PADDING = 0 "padding";
        STRIDE_W = 1 "stride_w";
        STRIDE_H = 2 "stride_h";
        ACTIVATION = 3 "fused_activation_function";
    }
    fully_connected_options {
        ACTIVATION = 0 "fused_activation_function";
        WEIGHTS_FORMAT = 1 "weights_format";
        KEEP_NUM_DIMS = 2 "keep_num_dims";
    }
    pool_2d_options {
        PADDING = 0 "padding";
        STRIDE_W = 1 "stride_w";
        STRIDE_H = 2 "stride_h";
        FILTER_WIDTH = 3 "filter_width";
        FILTER_HEIGHT = 4 "filter_height";
        ACTIVATION = 5 "fused_activation_function";
    }
    /// Shared by the options of addition, subtraction, multiplication and division.
    arithmetic_options {
        ACTIVATION = 0 "fused_activation_function";
    }
    softmax_options {
        BETA = 0 "beta";
    }
    leaky_relu_options {
        ALPHA = 0 "alpha";
    }
    concatenation_options {
        AXIS = 0 "axis";
        ACTIVATION = 1 "fused_activation_function";
    }
    reshape_options {
        NEW_SHAPE = 0 "new_shape";
    }
    squeeze_options {
        SQUEEZE_DIMS = 0 "squeeze_dims";
    }
    reducer_options {
        KEEP_DIMS = 0 "keep_dims";
    }
    strided_slice_options {
        BEGIN_MASK = 0 "begin_mask";
        END_MASK = 1 "end_mask";
        ELLIPSIS_MASK = 2 "ellipsis_mask";
        NEW_AXIS_MASK = 3 "new_axis_mask";
        SHRINK_AXIS_MASK = 4 "shrink_axis_mask";
        OFFSET = 5 "offset";
    }
    /// Shared by the options of both kinds of stacking: the field 0 is a count.
    stack_options {
        AXIS = 1 "axis";
    }
    resize_bilinear_options {
        ALIGN_CORNERS = 2 "align_corners";
        HALF_PIXEL_CENTERS = 3 "half_pixel_centers";
    }
    resize_nearest_options {
        ALIGN_CORNERS = 0 "align_corners";
        HALF_PIXEL_CENTERS = 1 "half_pixel_centers";
    }
}

/// A kind of options: its number in the union `BuiltinOptions`, and its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct OptionsKind {
    pub(super) number: u8,
    pub(super) name: &'static str,
}

macro_rules! options_kinds {
    ($($kind:ident = $number:literal $name:literal;)*) => {$(
        pub(super) const $kind: OptionsKind = OptionsKind { number: $number, name: $name };
    )*};
}

options_kinds! {
    CONV_2D = 1 "Conv2DOptions";
    DEPTHWISE_CONV_2D = 2 "DepthwiseConv2DOptions";
    POOL_2D = 5 "Pool2DOptions";
    FULLY_CONNECTED = 8 "FullyConnectedOptions";
    SOFTMAX = 9 "SoftmaxOptions";
    CONCATENATION = 10 "ConcatenationOptions";
    ADD = 11 "AddOptions";
    RESIZE_BILINEAR = 15 "ResizeBilinearOptions";
    RESHAPE = 17 "ReshapeOptions";
    MUL = 21 "MulOptions";
    REDUCER = 27 "ReducerOptions";
    SUB = 28 "SubOptions";
    DIV = 29 "DivOptions";
    SQUEEZE = 30 "SqueezeOptions";
    STRIDED_SLICE = 32 "StridedSliceOptions";
    TRANSPOSE_CONV = 49 "TransposeConvOptions";
    PACK = 59 "PackOptions";
    UNPACK = 64 "UnpackOptions";
    RESIZE_NEAREST = 74 "ResizeNearestNeighborOptions";
    LEAKY_RELU = 75 "LeakyReluOptions";
}

/// `BuiltinOperator.CUSTOM`
pub(super) const CUSTOM: i32 = 32;

/// Names of the enumeration `TensorType`, by number.
pub(super) const TENSOR_TYPES: [&str; 19] = [
    "FLOAT32",
    "FLOAT16",
    "INT32",
    "UINT8",
    "INT64",
    "STRING",
    "BOOL",
    "INT16",
    "COMPLEX64",
    "INT8",
    "FLOAT64",
    "COMPLEX128",
    "UINT64",
    "RESOURCE",
    "VARIANT",
    "UINT32",
    "UINT16",
    "INT4",
    "BFLOAT16",
];

/// The name of an operator in the enumeration `BuiltinOperator`.
pub(super) fn operator_name(number: i32) -> Option<&'static str> {
    OPERATORS.split_ascii_whitespace().nth(usize::try_from(number).ok()?)
}

/// Names of the enumeration `BuiltinOperator`, in the order of their numbers from 0.
const OPERATORS: &str = "
    ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE
    EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D
    LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6
    RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM
    EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND
    TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN
    EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX
    MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV
    SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT
    REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV
    REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU
    SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU
    REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE
    NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL
    PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS
    HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE
    READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM
    MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX
    UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT
    STABLEHLO_LOGISTIC STABLEHLO_ADD STABLEHLO_DIVIDE STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM
    STABLEHLO_RESHAPE STABLEHLO_CLAMP STABLEHLO_CONCATENATE STABLEHLO_BROADCAST_IN_DIM
    STABLEHLO_CONVOLUTION STABLEHLO_SLICE STABLEHLO_CUSTOM_CALL STABLEHLO_REDUCE STABLEHLO_ABS
    STABLEHLO_AND STABLEHLO_COSINE STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR STABLEHLO_LOG STABLEHLO_MINIMUM
    STABLEHLO_NEGATE STABLEHLO_OR STABLEHLO_POWER STABLEHLO_REMAINDER STABLEHLO_RSQRT STABLEHLO_SELECT
    STABLEHLO_SUBTRACT STABLEHLO_TANH STABLEHLO_SCATTER STABLEHLO_COMPARE STABLEHLO_CONVERT
    STABLEHLO_DYNAMIC_SLICE STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD STABLEHLO_IOTA
    STABLEHLO_DOT_GENERAL STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT STABLEHLO_WHILE STABLEHLO_GATHER
    STABLEHLO_TRANSPOSE DILATE STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW STABLEHLO_COMPOSITE
    STABLEHLO_SHIFT_LEFT STABLEHLO_CBRT
";
