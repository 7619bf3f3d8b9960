import RingCompression
import RingCompressionTesting
import RingCore
import RingKernels
import Testing

@Suite struct CodecConformanceTests {
    static let narrowed: [Compression] = [
        .float16, .bfloat16, .int8(), .int4(), .int8(blockSize: 32), .int8(blockSize: 512),
        .int4(blockSize: 32),
        .int4(blockSize: 128), .int8(rounding: .stochastic(seed: 1)), .int4(rounding: .stochastic(seed: 2)),
    ]

    @Test(arguments: narrowed, CodecConformance.Case.allCases)
    func narrowing(_ compression: Compression, _ testCase: CodecConformance.Case) throws {
        for level in KernelLevel.available {
            try CodecConformance(#require(NarrowingCodec(compression, level: level))).run(testCase)
        }
    }

    #if LZ4
        @Test(arguments: DataType.allCases, CodecConformance.Case.allCases)
        func lz4(_ dataType: DataType, _ testCase: CodecConformance.Case) throws {
            try CodecConformance(#require(try Compression.lz4.codec(for: dataType))).run(testCase)
        }

        @Test(arguments: narrowed, CodecConformance.Case.allCases)
        func lz4BehindAnother(_ compression: Compression, _ testCase: CodecConformance.Case) throws {
            let codec = try compression.followedByLZ4().codec(for: .float32)
            try CodecConformance(#require(codec)).run(testCase)
        }
    #endif
}
